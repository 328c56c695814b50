"""What TensorRT would refuse or silently change in a quantized model, repaired by named fixes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trtbuild.core.errors import StepInputError
from trtbuild.core.words import join_few
from trtbuild.quant.limits import LARGEST, SMALLEST
from trtbuild.quant.quantized_graph import LinearNode

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["FOREIGN", "Repair", "demand_int8", "demand_same", "describe_repairs", "is_positive"]

SHOWN = 3
"""How many tensors a fix names before it counts the rest."""

FOREIGN = frozenset({"float4e2m1", "float8e4m3fn", "float8e5m2", "int4"})
"""Types that TensorRT knows, and that are not ours to touch."""

WHY = {
    "fold_bias": "TensorRT takes no INT32 bias; it is float again, value for value",
    "fold_constant": (
        "TensorRT wants integers for weights only, symmetric and not 0-dimensional; these are no "
        "weights, and are float again, value for value"
    ),
    "make_symmetric": (
        "TensorRT takes no zero point but 0, and clamps uint8 at 127 without a word; the same "
        "range is cut off by an operator of its own now, and rounded symmetrically, more coarsely"
    ),
    "recode_weight": (
        "TensorRT takes INT8 weights with zero point 0; the same values are written so now"
    ),
    "recode_int8": "TensorRT takes uint8 for int8 without a word; the same values are int8 now",
    "requantize_weight": (
        "TensorRT takes symmetric INT8 weights with scales above 0 along the output channels; "
        "these were not, and are rounded anew"
    ),
    "scalar_scale": "TensorRT-RTX computes in float behind a scale of shape [1]",
}
"""Fix → why it is needed, and what it does to the numbers."""


@dataclass(frozen=True)
class Repair:
    """A named fix, and the tensor or weight that it was applied to."""

    fix: str
    tensor: str


def describe_repairs(repairs: Iterable[Repair]) -> Iterator[str]:
    """Say in a line for each fix what was repaired, and why."""
    groups: dict[str, list[str]] = {}
    for repair in repairs:
        groups.setdefault(repair.fix, []).append(f"`{repair.tensor}`")
    for fix, names in sorted(groups.items()):
        yield f"{fix}: {join_few(names, SHOWN)}: {WHY[fix]}"


def demand_int8(linear: LinearNode) -> None:
    """Refuse integers that are neither int8 nor what can become int8.

    Raises:
        StepInputError: names the node and the type.
    """
    if linear.dtype not in {"int8", "uint8"}:
        raise StepInputError(
            f"`{linear.name}` quantizes to {linear.dtype}, which TensorRT does not take",
            hint="quantize to int8",
        )


def demand_same(one: LinearNode, other: LinearNode) -> None:
    """Refuse a pair whose ends have other scales, zero points or types.

    Raises:
        StepInputError: names both nodes, with the first scale and zero point of each.
    """
    if one.dtype == other.dtype and _same(one.scale, other.scale) and _same(one.zero, other.zero):
        return
    ends = [
        f"`{end.name}` has scale {end.scale.flat[0]:g} and zero point {end.zero.flat[0]} "
        f"({end.dtype})"
        for end in (one, other)
    ]
    raise StepInputError(
        f"{ends[0]}, but {ends[1]}: the ends of a pair must agree",
        hint="quantize the model again; TensorRT takes such a pair without a word",
    )


def _same(one: npt.NDArray[np.generic], other: npt.NDArray[np.generic]) -> bool:
    # As text, in which NaN is equal to itself: it is refused elsewhere, for what it is.
    return str(one.ravel().tolist()) == str(other.ravel().tolist())


def is_positive(scale: npt.NDArray[np.floating]) -> bool:
    """Tell whether TensorRT takes every scale: above 0, neither denormal nor infinite."""
    wide = scale.astype("float64")  # the bounds are none in float16
    return bool((wide >= SMALLEST).all() and (wide <= LARGEST).all())
