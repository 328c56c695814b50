"""What samples will be, as far as a recipe alone says it: before anything is read or drawn."""

from __future__ import annotations

from pathlib import Path

from trtbuild.core.errors import TrtbuildError
from trtbuild.core.values import TensorSpec
from trtbuild.data import AnyDataSource, holds_pictures
from trtbuild.data.base import Manifest

__all__ = ["state_manifest"]


def state_manifest(source: AnyDataSource, base: Path) -> Manifest | None:
    """Return what is sure of a data source's samples; None where their shapes are its own affair.

    Its count is 0 where that shows only in reading, and a size `?`.
    """
    whole = source
    if source.kind == "random":
        tensors = tuple(
            TensorSpec(name=name, dtype=drawn.dtype, shape=drawn.shape)
            for name, drawn in sorted(source.inputs.items())
        )
    elif holds_pictures(source) or source.kind == "video":
        how = source.preprocess
        tensors = (TensorSpec(name=source.input, dtype=how.dtype, shape=how.find_shape()),)
    elif source.kind == "text":
        length = source.max_length if source.padding == "max_length" else None
        tensors = tuple(
            TensorSpec(name=name, dtype=source.dtype, shape=("?" if length is None else length,))
            for name in sorted(source.inputs)
        )
    else:
        return None
    return Manifest(count=_count(whole, base), samples=(), tensors=tensors, labelled=False)


def _count(source: AnyDataSource, base: Path) -> int:
    if source.count is not None:
        return source.count
    try:
        return source.expected(source.find_files(base))
    except TrtbuildError:  # which is said elsewhere
        return 0
