"""Published weights: fetch a file by URL, check it, read a state dict from it."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trtbuild.core.errors import CorruptObject, MissingFile, StepInputError, UsageError

if TYPE_CHECKING:
    from torch import Tensor

    from trtbuild.sources.kinds import Weights

__all__ = ["LIMIT_BYTES", "fetch_weights", "read_state_dict"]

LIMIT_BYTES = 8 << 30
"""More than any model that an engine is built from here; a server cannot fill the disk."""
PIECE_BYTES = 1 << 20
SAFETENSORS_HEADER_BYTES = 100 << 20  # the format's own limit


def fetch_weights(
    weights: Weights,
    destination: Path,
    *,
    timeout_seconds: float,
    limit_bytes: int = LIMIT_BYTES,
) -> None:
    """Fetch a weights file to `destination`, in pieces, and check it against its sha256.

    Whatever goes wrong, nothing is left at `destination`.

    Args:
        weights: has a `url` (https, or file) and its `sha256`.
        destination: the file to write.
        timeout_seconds: for the server to answer, and again for each piece; the whole may take
            sixty times as long.
        limit_bytes: refuse a longer file.

    Raises:
        MissingFile: the URL cannot be reached, or not in time, or is too large.
        CorruptObject: what came is not what the digest says.
        UsageError: it is not a URL of https or file.
    """
    url = weights.url or ""
    try:
        found = _download(url, destination, timeout_seconds=timeout_seconds, limit=limit_bytes)
    except BaseException:
        destination.unlink(missing_ok=True)
        raise
    if found != weights.sha256:
        destination.unlink()
        raise CorruptObject(
            f"{url}: its sha256 is {found}, the recipe says {weights.sha256}",
            hint="do not use it; compare both with what the publisher states",
        )


def _download(url: str, destination: Path, *, timeout_seconds: float, limit: int) -> str:
    from urllib.error import URLError

    deadline = time.monotonic() + 60 * timeout_seconds
    digest, size = hashlib.sha256(), 0
    try:
        with _open(url, timeout_seconds) as answer, destination.open("wb") as file:
            while piece := answer.read(PIECE_BYTES):
                size += len(piece)
                if size > limit:
                    raise MissingFile(f"{url}: is larger than {limit / 1e9:.1f} GB")
                if time.monotonic() > deadline:
                    raise TimeoutError("took too long")
                digest.update(piece)
                file.write(piece)
    except (URLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise MissingFile(
            f"{url}: cannot be fetched: {reason}",
            hint="fetch it by other means and name it in the recipe: weights: {path: ...}",
        ) from error
    return digest.hexdigest()


def _open(url: str, timeout_seconds: float) -> Any:
    """Open a URL; a server that sends us on to plain http, or to our own files, is refused."""
    from urllib.parse import urlsplit
    from urllib.request import (
        FileHandler,
        HTTPDefaultErrorHandler,
        HTTPErrorProcessor,
        HTTPRedirectHandler,
        HTTPSHandler,
        OpenerDirector,
        ProxyHandler,
        Request,
        UnknownHandler,
    )

    scheme = urlsplit(url).scheme
    if scheme not in {"https", "file"}:
        raise UsageError(
            f"{url}: weights are fetched over https, or from file:// URLs",
            hint="use the https address, or a path",
        )
    opener = OpenerDirector()
    handlers: list[Any] = (
        [FileHandler()]
        if scheme == "file"
        else [
            ProxyHandler(),
            HTTPSHandler(),
            HTTPRedirectHandler(),
            HTTPDefaultErrorHandler(),
            HTTPErrorProcessor(),
            UnknownHandler(),
        ]
    )
    for handler in handlers:
        opener.add_handler(handler)
    return opener.open(Request(url), timeout=timeout_seconds)  # noqa: S310  # checked above


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
