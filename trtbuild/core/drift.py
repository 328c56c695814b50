"""How far values have moved from what a table of ranges was made for."""

from __future__ import annotations

import math

from trtbuild.core.options import Options

__all__ = ["Drift", "TensorDrift"]


class TensorDrift(Options):
    """The largest absolute value of a tensor, with weights of before and with those of now."""

    name: str
    before: float
    after: float
    limit: float
    """Of its range in the table: what is larger is clipped."""

    @property
    def factor(self) -> float:
        """How far it moved: `after / before`, or its inverse where it shrank; never below 1."""
        low, high = sorted((self.before, self.after))
        if not high:
            return 1.0
        return high / low if low else math.inf

    def describe(self) -> str:
        """Say what happened to it."""
        word = "larger" if self.after > self.before else "smaller"
        beyond = f", and its range ends at {self.limit:.4g}" if self.after > self.limit else ""
        return (
            f"`{self.name}`: {self.before:.4g} → {self.after:.4g}, {self.factor:.2f} times "
            f"{word}{beyond}"
        )


class Drift(Options):
    """`drift.json`: all tensors that have a range, by name."""

    samples: int
    """On which both were run."""
    tensors: tuple[TensorDrift, ...]

    def list_beyond(self, factor: float) -> tuple[TensorDrift, ...]:
        """Return the tensors that moved further than by a factor, the furthest first."""
        found = [each for each in self.tensors if each.factor > factor]
        return tuple(sorted(found, key=lambda each: -each.factor))
