"""Random data, for a build that is only to be tried: it calibrates nothing worth having."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from trtbuild.core.options import Options
from trtbuild.data.base import Sample

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Random", "RandomInput"]

_MOST_VALUES = 2**30
"""In one array, so that a slip of the hand does not ask for more memory than there is."""


_FLOATS = ("float32", "float16")
_BYTES = 256


class RandomInput(Options):
    """What is drawn for one model input."""

    shape: tuple[Annotated[int, Field(gt=0)], ...]
    """Of one sample, without the batch axis."""
    dtype: Literal["float32", "float16", "int32", "int64", "uint8"] = "float32"
    """As the model takes it."""
    low: float = 0.0
    """The lowest value that may be drawn."""
    high: float = 1.0
    """Where values end that are drawn evenly from `low` on; only rounding to `dtype` reaches it."""

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if not self.low < self.high:
            raise ValueError(f"`low` ({self.low:g}) must lie below `high` ({self.high:g})")
        whole = self.dtype not in _FLOATS
        if whole and not (self.low.is_integer() and self.high.is_integer()):
            raise ValueError(f"`low` and `high` of {self.dtype} must be whole numbers")
        if self.dtype == "uint8" and not 0 <= self.low < self.high <= _BYTES:
            raise ValueError("`low` and `high` of uint8 lie from 0 to 256")
        values = 1
        for length in self.shape:
            values *= length
        if values > _MOST_VALUES:
            raise ValueError(f"`shape` asks for {values} values in one array")
        return self


class Random(Options):
    """Random values, when there is no data yet: every result that rests on them says so."""

    captured: ClassVar[Literal[False]] = False
    caveats: ClassVar[tuple[str, ...]] = ("random data",)

    kind: Literal["random"]
    inputs: Annotated[dict[str, RandomInput], Field(min_length=1)]
    """What to draw for each model input: `{shape, dtype: float32, low: 0, high: 1}`, shape without
    the batch axis, values spread evenly from `low` to `high`."""
    count: Annotated[int, Field(gt=0)] = 16
    """How many samples to draw: few, since more tell no more."""
    seed: Annotated[int, Field(ge=0)] = 0
    """What they are drawn from."""

    def find_files(self, base: Path) -> tuple[Path, ...]:  # noqa: ARG002  # there is none
        """Return none."""
        return ()

    def find_labels(self, base: Path) -> tuple[int, ...]:  # noqa: ARG002  # names tell none
        """Return none: they come with the samples, if at all."""
        return ()

    def samples(self, files: Sequence[Path], *, threads: int = 1) -> Iterator[Sample]:  # noqa: ARG002  # drawing needs none
        """Draw the samples in order, each from `seed` and its own number (NumPy's PCG64)."""
        for index in range(self.count):
            arrays = {
                name: _draw(asked, [self.seed, index, place])
                for place, (name, asked) in enumerate(sorted(self.inputs.items()))
            }
            yield Sample(f"random[{index}]", arrays)

    def expected(self, files: Sequence[Path]) -> int:  # noqa: ARG002  # there is none
        """Return `count`."""
        return self.count

    def fact_names(self) -> tuple[str, ...]:
        """NumPy may draw other values in another version."""
        return ("numpy",)


def _draw(asked: RandomInput, seed: list[int]) -> NDArray[Any]:
    import numpy as np

    generator = np.random.Generator(np.random.PCG64(seed))
    if asked.dtype not in _FLOATS:
        drawn = generator.integers(int(asked.low), int(asked.high), asked.shape, asked.dtype)
        return np.asarray(drawn)
    values = generator.random(asked.shape, np.float32)
    return np.asarray(values * (asked.high - asked.low) + asked.low, asked.dtype)
