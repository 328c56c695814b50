"""The types that weights and activations are quantized to: what each holds, and who computes in it.

A type is a value here and a name in `QuantizedName`; the rest asks it, and knows none by name.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from trtbuild.core.frozen import frozen
from trtbuild.core.onnx_types import OnnxType

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = [
    "FP8",
    "INT4",
    "INT8",
    "TYPES",
    "QuantizedName",
    "QuantizedType",
    "find_type_of_onnx",
    "join_words",
]

QuantizedName = Literal["int8", "fp8", "int4"]


@frozen
class QuantizedType(OnnxType):
    """A type of few bits: a real value is one of its numbers times a scale."""

    name: QuantizedName
    word: str
    """As a report writes it."""
    onnx_name: str
    """As in `tensor(int8)`."""
    bits: int
    largest: float
    """What the largest absolute value of a range becomes: scale = limit / largest."""
    opset: int
    """The first opset whose Q/DQ nodes have it, with a scale for each channel."""
    since: tuple[int, int]
    """The least compute capability whose TensorRT kernels multiply it."""
    fraction_bits: int | None = None
    """Of a floating-point type: the bits behind the binary point. None where numbers lie evenly."""
    smallest: float = 1.0
    """Its least number above 0."""
    least_channels: int = 1
    """A layer with fewer input or output channels stays float unless it is asked for."""
    beyond: float = 0.0
    """How much further its negative numbers reach, where that is made use of."""
    weights_only: bool = False
    """Whether activations stay float: layers then multiply in float, by weights read in it."""

    @property
    def evenly(self) -> bool:
        """Tell whether its numbers lie at equal distances.

        Those of a floating-point type do not: what is small loses nothing beside what is large.
        """
        return self.fraction_bits is None

    @property
    def least_capability(self) -> str:
        """The least compute capability that multiplies it, as recipes write it."""
        return ".".join(map(str, self.since))

    def round(self, steps: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Round values in units of the scale to numbers of the type, in place.

        As ONNX has QuantizeLinear with zero points of 0: to the nearest, ties to even, and what is
        beyond the largest becomes the largest (`saturate`). Integers are symmetric, as TensorRT's
        scales are: -127 is the least of INT8.
        """
        import numpy as np

        if self.evenly:
            np.rint(steps, out=steps)
        np.clip(steps, -self.largest - self.beyond, self.largest, out=steps)
        if not self.evenly:
            steps[...] = steps.astype(self.dtype)
        return steps

    def encode(self, steps: npt.NDArray[np.float32]) -> npt.NDArray[np.generic]:
        """Return values in units of the scale as numbers of the type (see `round`, in place)."""
        return self.round(steps).astype(self.dtype)

    def spacing(self, steps: float) -> float:
        """Return how far its numbers lie apart around a value, both in units of the scale."""
        if self.fraction_bits is None or steps < self.smallest:
            return self.smallest
        exponent: int = math.frexp(steps)[1] - 1
        return max(self.smallest, 2.0 ** (exponent - self.fraction_bits))

    def runs_on(self, capability: str) -> bool:
        """Tell whether TensorRT multiplies it on a GPU of a compute capability (`8.9`)."""
        return tuple(int(part) for part in capability.split(".")) >= self.since


INT8 = QuantizedType(
    name="int8",
    word="INT8",
    onnx_name="int8",
    bits=8,
    largest=127.0,
    opset=13,
    since=(6, 1),
)
FP8 = QuantizedType(
    name="fp8",
    word="FP8",
    onnx_name="float8e4m3fn",
    bits=8,
    largest=448.0,
    opset=19,
    since=(8, 9),
    fraction_bits=3,
    smallest=2.0**-9,
    least_channels=16,
)
INT4 = QuantizedType(
    name="int4",
    word="INT4",
    onnx_name="int4",
    bits=4,
    largest=7.0,
    opset=21,
    since=(8, 0),
    beyond=1.0,
    weights_only=True,
)

TYPES: dict[str, QuantizedType] = {each.name: each for each in (INT8, FP8, INT4)}
"""By the names that recipes, accounts and engines have for them."""


def find_type_of_onnx(dtype: str | None) -> QuantizedType | None:
    """Return the quantized type that ONNX calls so; None for any other."""
    return next((each for each in TYPES.values() if each.onnx_name == dtype), None)


def join_words(precisions: Iterable[str]) -> str:
    """Return the words of the quantized types among some precisions: `INT8`, `INT8 and FP8`.

    Where there is none it is INT8, which is what is quantized to unless a recipe says otherwise.
    """
    found = {TYPES[name].word: None for name in precisions if name in TYPES}
    return " and ".join(found) or INT8.word
