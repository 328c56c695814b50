"""A cell of a table as the array of a model input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trtbuild.core.errors import StepInputError
from trtbuild.data import pixels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trtbuild.data.preprocess import Preprocess

__all__ = ["read_cell"]

BRIGHTEST = 255
_NARROWER = {"f": "float32", "i": "int64", "u": "int64", "b": "bool"}


def read_cell(value: Any, name: str, preprocess: Preprocess | None) -> NDArray[Any]:
    """Return what the model takes: a picture preprocessed, numbers as float32 or int64.

    Raises:
        StepInputError: it is neither, or a picture of which only the path is there.
    """
    import numpy as np

    if isinstance(value, dict) and {"bytes", "path"} >= set(value):
        if not value.get("bytes"):
            raise StepInputError(
                f"{name}: holds the path of a picture, and not its bytes",
                hint="save the data with its pictures: `dataset.save_to_disk(...)` after loading",
            )
        value = value["bytes"]
    if isinstance(value, bytes):
        if preprocess is None:
            raise StepInputError(
                f"{name}: holds a picture", hint="say how it becomes an array: `preprocess`"
            )
        return preprocess.apply(pixels.decode_image(value, name), name)
    try:
        array = np.asarray(value)
    except ValueError:  # lists of lists of different lengths
        array = np.asarray(None)
    if array.dtype.kind not in _NARROWER:
        raise StepInputError(
            f"{name}: holds {type(value).__name__}, no numbers of one shape",
            hint="choose columns of numbers, of lists of them, or of pictures; text: `kind: text`",
        )
    if preprocess is not None and array.ndim > 1:
        # Arrow has no bytes in lists: numbers from 0 to 255 are taken for them.
        small = array.dtype.kind != "f" and array.min() >= 0 and array.max() <= BRIGHTEST
        return preprocess.apply(array.astype(np.uint8) if small else array, name)
    return array.astype(_NARROWER[array.dtype.kind])
