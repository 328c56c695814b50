"""Published weights: fetch a file by URL, check it, read a state dict from it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from trtbuild.core.errors import CorruptObject, MissingFile, StepInputError
from trtbuild.sources.download import Limits, download

if TYPE_CHECKING:
    from torch import Tensor

    from trtbuild.sources.kinds import Weights

__all__ = ["LIMIT_BYTES", "fetch_weights", "read_state_dict"]

LIMIT_BYTES = 8 << 30
"""More than any model that an engine is built from here; a server cannot fill the disk."""
LIMIT_SECONDS = 3 * 3600.0
"""Longer than a file of that size takes over any line that an engineer has."""
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
    limits = Limits(timeout_seconds, limit_seconds, limit_bytes)
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


def read_state_dict(path: Path, key: str | None) -> dict[str, Tensor]:
    """Read a state dict from a file of safetensors or `torch.save`; never unpickles code.

    Args:
        path: the file; what it holds decides, not its name.
        key: the entry of a checkpoint that holds the state dict; None for the file itself.

    Raises:
        StepInputError: it is neither, is cut off, or holds no state dict there.
    """
    import torch

    content = _content(path)
    if key is not None:
        content = _entry(content, key, path)
    if not isinstance(content, dict) or not all(
        isinstance(value, torch.Tensor) for value in content.values()
    ):
        names = ", ".join(map(str, content)) if isinstance(content, dict) else "none"
        raise StepInputError(
            f"{path}: is not a state dict (names → tensors); entries there: {names[:200]}",
            hint="name the entry in the recipe: weights: {..., key: state_dict}",
        )
    return content


def _content(path: Path) -> Any:
    import torch
    from safetensors.torch import load_file

    try:
        if _is_safetensors(path):
            return load_file(path)
        _refuse_packed(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise MissingFile(f"{path}: no such file") from None
    except StepInputError:
        raise
    except Exception as error:  # each format has its own errors, pickle's included
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise StepInputError(
            f"{path}: cannot be read as weights: {lines[0]}",
            hint="safetensors and plain `torch.save(module.state_dict(), path)` files can be read",
        ) from error


def _refuse_packed(path: Path) -> None:
    """Refuse an archive with compressed files: `torch.save` packs none, and bombs are made of them.

    Raises:
        StepInputError: it is one.
    """
    import zipfile

    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        if any(info.compress_type != zipfile.ZIP_STORED for info in archive.infolist()):
            raise StepInputError(
                f"{path}: is a compressed archive, which `torch.save` does not write",
                hint="save the weights again: torch.save(module.state_dict(), path)",
            )


def _is_safetensors(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(9)
    length = int.from_bytes(head[:8], "little")
    return head[8:] == b"{" and length < SAFETENSORS_HEADER_BYTES


def _entry(content: Any, key: str, path: Path) -> Any:
    if isinstance(content, dict) and key in content:
        return content[key]
    names = ", ".join(map(str, content)) if isinstance(content, dict) else "none"
    raise StepInputError(
        f"{path}: has no entry `{key}`; entries there: {names[:200]}",
        hint="correct `weights.key` in the recipe",
    )
