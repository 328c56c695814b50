"""Weights: fetch a published file by URL, check it, read what it holds."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trtbuild.core.errors import CorruptObject, MissingDependency, MissingFile, StepInputError
from trtbuild.core.words import describe_cause, join_few
from trtbuild.sources.download import DownloadLimits, download
from trtbuild.sources.shards import is_index, list_shards, read_index

if TYPE_CHECKING:
    from trtbuild.sources.weights_place import Weights

__all__ = ["LIMIT_BYTES", "fetch_weights", "read_weights"]

LIMIT_BYTES = 8 << 30
"""More than any model that an engine is built from here; a server cannot fill the disk."""
LIMIT_SECONDS = 3 * 3600.0
"""Longer than a file of that size takes over any line that an engineer has."""
MOST_CLASSES = 4
UNSAFE_ADVICE = "weights_only"
"""What PyTorch's refusals to unpickle have in common: how to do it all the same."""
SAFETENSORS_HEADER_BYTES = 100 << 20  # the format's own limit


def fetch_weights(
    weights: Weights,
    destination: Path,
    *,
    timeout_seconds: float,
    limit_seconds: float = LIMIT_SECONDS,
    limit_bytes: int = LIMIT_BYTES,
) -> None:
    """Fetch a weights file to `destination`, in pieces, and check it against its sha256.

    Whatever goes wrong, nothing is left at `destination`.

    Args:
        weights: has a `url` (https, or file) and its `sha256`.
        destination: the file to write.
        timeout_seconds: for the server to answer, and again for every 64 KiB.
        limit_seconds: for the whole file.
        limit_bytes: refuse a longer file.

    Raises:
        MissingFile: the URL cannot be reached, or not in time, is too large, or was cut off.
        CorruptObject: what came is not what the digest says.
        UsageError: it is not a URL of https or file.
    """
    url = weights.url or ""
    limits = DownloadLimits(timeout_seconds, limit_seconds, limit_bytes)
    try:
        found = download(url, destination, limits)
    except BaseException:
        destination.unlink(missing_ok=True)
        raise
    if found.sha256 != weights.sha256:
        destination.unlink()
        hint = "do not use it; compare both with what the publisher states"
        if not found.whole:
            hint = f"try again, the server did not say where the file ends; then {hint}"
        raise CorruptObject(
            f"{url}: its sha256 is {found.sha256}, the recipe says {weights.sha256}", hint=hint
        )


def read_weights(path: Path) -> Any:
    """Read a file of safetensors or `torch.save`, whatever it is called; never unpickles code.

    Of an index, all files that it names are read.

    Raises:
        MissingFile: it is not there.
        MissingDependency: the package that reads it is not installed.
        StepInputError: it is neither, is cut off, or holds more than tensors and plain values.
    """
    import torch

    if is_index(path):
        return _read_shards(path)
    try:
        if _is_safetensors(path):
            return _load_safetensors(path)
        _refuse_packed(path)
        with torch.serialization.safe_globals(_list_numpy_makers()):
            return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise MissingFile(f"{path}: no such file") from None
    except (StepInputError, MissingDependency):
        raise
    except Exception as error:  # each format has its own errors, pickle's included
        _refuse_objects(path, error)
        raise StepInputError(
            f"{path}: cannot be read as weights: {describe_cause(error)}",
            hint="safetensors and plain `torch.save(module.state_dict(), path)` files can be read",
        ) from error


def _list_numpy_makers() -> list[Any]:
    """Return what NumPy's scalars and arrays are pickled by; none of it runs code.

    Training loops keep their best figures and the states of generators so.
    """
    import _codecs

    import numpy as np

    makers: list[Any] = [np.float64(0).__reduce__()[0], np.empty(0).__reduce__()[0]]
    codes = f"?{np.typecodes['AllInteger']}{np.typecodes['Float']}SU"
    return [
        np.dtype,
        np.ndarray,
        _codecs.encode,
        *{type(np.dtype(code)) for code in codes},
        # NumPy 2 calls its own module otherwise than NumPy 1, and files come from both.
        *(
            (made, f"numpy.{core}.multiarray.{made.__name__}")
            for made in makers
            for core in ("core", "_core")
        ),
    ]


def _load_safetensors(path: Path) -> Any:
    try:
        from safetensors.torch import load_file
    except ModuleNotFoundError:
        raise MissingDependency(
            f"{path}: the package `safetensors` reads it, and is not installed",
            hint="pip install 'trtbuild[torch]'",
        ) from None
    return load_file(path)


def _read_shards(index: Path) -> dict[str, Any]:
    """Return the weights of all files of an index, under the names that it has.

    Raises:
        StepInputError: a file lacks what the index says is there.
    """
    placed, found = read_index(index), dict[str, Any]()
    for shard in list_shards(index):
        content = read_weights(shard)
        names = [name for name, file in placed.items() if file == shard.name]
        lacking = next((name for name in names if name not in content), None)
        if lacking is not None:
            raise StepInputError(
                f"{shard}: has no `{lacking}`, which {index.name} says is there",
                hint="copy the index and all files that it names again",
            )
        found |= {name: content[name] for name in names}
    return found


def _refuse_objects(path: Path, error: Exception) -> None:
    """Say which classes a file holds that PyTorch refused to load, where that is what it did.

    Raises:
        StepInputError: it is.
    """
    if UNSAFE_ADVICE not in str(error):
        return
    names = _classes(path, error)
    whole = any(name.startswith("torch.nn.modules.") for name in names)
    what = (
        f"holds {join_few(names, MOST_CLASSES)}"
        if names
        else "is no pickle that `torch.save` writes"
    )
    load = f"torch.load('{path.name}', weights_only=False)"
    raise StepInputError(
        f"{path}: {what}, and only tensors and plain values are loaded: the rest could be code",
        hint=_save_again(load + (".state_dict()" if whole else "['state_dict']")),
    ) from error


def _save_again(state: str) -> str:
    return (
        "where you trust the file, save its tensors alone, as in "
        f"python -c \"import torch; torch.save({state}, 'weights.pth')\""
    )


def _classes(path: Path, error: Exception) -> list[str]:
    """Return the classes in a pickle that PyTorch does not load; nothing is loaded to find them."""
    import torch

    with contextlib.suppress(Exception):  # it reads the newer of PyTorch's own forms alone
        return sorted(torch.serialization.get_unsafe_globals_in_checkpoint(path))
    return re.findall(r"GLOBAL (\S+)", str(error))[:1]


def _refuse_packed(path: Path) -> None:
    """Refuse an archive with compressed files: `torch.save` packs none, and bombs are made of them.

    Programs of TorchScript are such archives.

    Raises:
        StepInputError: it is one.
    """
    import zipfile

    _refuse_page(path)
    if not zipfile.is_zipfile(path):
        if _begins_with(path, b"PK"):
            raise StepInputError(
                f"{path}: begins as `torch.save` writes, and its end is missing",
                hint="it was cut off or damaged: fetch or save it again",
            )
        return
    with zipfile.ZipFile(path) as archive:
        if any(name.endswith("/constants.pkl") for name in archive.namelist()):
            raise StepInputError(
                f"{path}: is a program of TorchScript, and only weights are loaded",
                hint=_save_again(f"torch.jit.load('{path.name}').state_dict()"),
            )
        if any(info.compress_type != zipfile.ZIP_STORED for info in archive.infolist()):
            raise StepInputError(
                f"{path}: is a compressed archive, which `torch.save` does not write",
                hint="save the weights again: torch.save(module.state_dict(), path)",
            )


def _refuse_page(path: Path) -> None:
    """Refuse a file that is empty, or a web page: what a server answers in the place of one.

    Raises:
        StepInputError: it is one.
    """
    with path.open("rb") as file:
        start = file.read(64).lstrip().lower()
    if not start or start.startswith((b"<!doctype", b"<html", b"<?xml")):
        what = "is a web page, not weights" if start else "is empty"
        raise StepInputError(f"{path}: {what}", hint="fetch it again; look at what came")


def _begins_with(path: Path, mark: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(mark)) == mark


def _is_safetensors(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(9)
    length = int.from_bytes(head[:8], "little")
    return head[8:] == b"{" and length < SAFETENSORS_HEADER_BYTES
