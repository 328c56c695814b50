"""TensorSpec, Range, Ranges: the values that flow between the parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Literal

from trtbuild.core.options import Options

__all__ = [
    "NodeSpec",
    "Origin",
    "Range",
    "Ranges",
    "Signature",
    "TensorSpec",
    "matches",
    "matching",
]


class TensorSpec(Options):
    """A tensor's name, dtype (NumPy's word for it) and shape (an int, or a dimension's name)."""

    name: str
    dtype: str
    shape: tuple[int | str, ...]


class NodeSpec(Options):
    """A node of the graph: its name and operator."""

    name: str
    op: str


class Signature(Options):
    """What a recipe may refer to in a model: inputs, outputs, and the names inside."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    tensors: tuple[str, ...]
    """Every activation: graph inputs and node outputs, in graph order; no initializers."""
    nodes: tuple[NodeSpec, ...]


Origin = Literal["calibrated", "manual", "imported"]


class Range(Options):
    """What a tensor's values are taken to span; symmetric INT8 uses its limit alone."""

    low: float
    high: float
    origin: Origin
    calibrator: str | None = None
    """The kind that found it; None for a manual range."""

    @property
    def limit(self) -> float:
        """The largest absolute value the range can represent."""
        return max(abs(self.low), abs(self.high))

    @property
    def scale(self) -> float:
        """limit / 127.

        The limit maps to 127, not 128: int8 has no +128, so a scale made with 128 would clip
        the largest values of every tensor.
        """
        return self.limit / 127


class Ranges(Options):
    """Ranges by tensor name: the one table that every calibrator fills and every backend reads."""

    tensors: dict[str, Range]

    def override(self, manual: Mapping[str, tuple[float, float]], names: Iterable[str]) -> Ranges:
        """Lay manual (low, high) bounds over the table; they win.

        A key is a tensor's name or a pattern over `names` (all the tensors of the model); an
        exact name beats a pattern, and of several patterns the last one written wins.
        """
        everything = sorted({*names, *self.tensors})
        table = dict(self.tensors)
        exact_last = sorted(manual, key=lambda pattern: pattern in everything)
        for pattern in exact_last:
            low, high = manual[pattern]
            for name in matching(pattern, everything):
                table[name] = Range(low=low, high=high, origin="manual")
        return Ranges(tensors=dict(sorted(table.items())))


def matches(pattern: str, name: str) -> bool:
    """Tell whether a name is meant by a pattern: equal, or matched by `*`, `?` and `[...]`.

    Equality is tried first, since tensor names may themselves contain brackets.
    """
    return pattern == name or fnmatchcase(name, pattern)


def matching(pattern: str, names: Iterable[str]) -> list[str]:
    """Return the names that a pattern means; an exact name means itself alone."""
    everything = list(names)
    if pattern in everything:
        return [pattern]
    return [name for name in everything if fnmatchcase(name, pattern)]
