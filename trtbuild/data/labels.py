"""A sample's label: the class it belongs to."""

from __future__ import annotations

from typing import Any

from trtbuild.core.errors import StepInputError

__all__ = ["read_label"]


def read_label(value: Any, name: str) -> int:
    """Return a label as an int; it may be any array or number that holds one whole number.

    Raises:
        StepInputError: it is none, or is negative.
    """
    import numpy as np

    array = np.asarray(value)
    if array.size != 1 or array.dtype.kind not in "iu":
        raise StepInputError(
            f"{name}: its label is {array.dtype} of shape {list(array.shape)};"
            " one whole number is needed",
            hint="a label is the index of the class, counted from 0",
        )
    label = int(array.item())
    if label < 0:
        raise StepInputError(
            f"{name}: its label is {label}", hint="classes are counted from 0; drop such samples"
        )
    return label
