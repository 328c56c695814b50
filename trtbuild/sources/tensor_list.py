"""Which tensors a file of weights holds, of which shapes: read without their values."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from trtbuild.core.errors import StepInputError
from trtbuild.core.regular_files import open_regular
from trtbuild.core.words import describe_cause
from trtbuild.sources.shards import is_index, list_shards

__all__ = ["list_tensors"]

LENGTH = 8
MOST_HEADER_BYTES = 100 << 20  # the format's own limit
REMARKS = "__metadata__"


def list_tensors(path: Path) -> dict[str, tuple[int, ...]]:
    """Return the shape of each tensor by its name, in file order.

    Of a checkpoint, names begin with the entry's (`state_dict.conv1.weight`). A file of safetensors
    is not read beyond its header, and PyTorch is not imported for it; of an index, all files are
    looked at.

    Raises:
        MissingFile: it is not there.
        StepInputError: it is no file of weights.
    """
    if is_index(path):
        return {
            name: shape for each in list_shards(path) for name, shape in list_tensors(each).items()
        }
    with open_regular(path) as file:
        head = file.read(LENGTH + 1)
        length = int.from_bytes(head[:LENGTH], "little")
        if head[LENGTH:] == b"{" and length < MOST_HEADER_BYTES:
            return _of_header(path, head[LENGTH:] + file.read(length - 1))
    return dict(_walk(_load_bare(path), ""))


def _of_header(path: Path, header: bytes) -> dict[str, tuple[int, ...]]:
    try:
        listed = json.loads(header)
        return {
            name: tuple(map(int, each["shape"])) for name, each in listed.items() if name != REMARKS
        }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise StepInputError(
            f"{path}: cannot be read as safetensors: its header is damaged",
            hint="copy the file again",
        ) from None


def _load_bare(path: Path) -> Any:
    """Load what `torch.save` wrote, with tensors that have no values."""
    import torch

    try:
        return torch.load(path, map_location="meta", weights_only=True)
    except Exception as error:
        raise StepInputError(
            f"{path}: cannot be read as weights: {describe_cause(error)}",
            hint="safetensors and plain `torch.save(module.state_dict(), path)` files can be read",
        ) from error


def _walk(value: Any, place: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from _walk(each, f"{place}.{name}" if place else str(name))
    elif hasattr(value, "shape") and hasattr(value, "dtype"):
        yield place, tuple(value.shape)
