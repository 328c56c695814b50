"""A sample's label: the class it belongs to, or an array of what should come out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trtbuild.core.errors import StepInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Label", "read_label"]

_NUMBERS = "biuf"

Label = tuple[int | None, "NDArray[Any] | None"]
"""A class or an array; one of the two is None."""


def read_label(value: Any, name: str) -> Label:
    """Return a label as a class where it is one whole number, and else as an array.

    Raises:
        StepInputError: it holds no numbers, NaN or infinity, or is a class below 0.
    """
    import numpy as np

    array = np.asarray(value)
    if array.dtype.kind not in _NUMBERS:
        raise StepInputError(
            f"{name}: its label is {array.dtype} of shape {list(array.shape)}; numbers are needed",
            hint="a label is the index of a class, counted from 0, or an array of what should come "
            "out: boxes, a mask, a picture, tokens",
        )
    if array.size != 1 or array.dtype.kind not in "iu":
        if not np.isfinite(array).all():
            raise StepInputError(
                f"{name}: its label holds NaN or infinity", hint="repair or drop the sample"
            )
        return None, np.array(array, dtype=array.dtype.newbyteorder("="), order="C")
    label = int(array.item())
    if label < 0:
        raise StepInputError(
            f"{name}: its label is {label}", hint="classes are counted from 0; drop such samples"
        )
    return label, None
