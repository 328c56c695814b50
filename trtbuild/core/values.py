"""TensorSpec, Range, Ranges: the values that flow between the parts."""

from collections.abc import Iterable, Mapping
from typing import Literal

from trtbuild.core.errors import StepInputError
from trtbuild.core.options import Options
from trtbuild.core.patterns import assign_patterns
from trtbuild.core.quantized_types import QuantizedType

__all__ = [
    "STRINGS",
    "NodeSpec",
    "Origin",
    "Range",
    "Ranges",
    "Signature",
    "TensorSpec",
]


STRINGS = "object"
"""NumPy's word for the type of tensors of text."""


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
    shape_inputs: dict[str, str] = {}
    """Inputs whose values decide a size, each with the node that has it."""


Origin = Literal["calibrated", "manual", "imported", "tied"]


class Range(Options):
    """What a tensor's values are taken to span; symmetric INT8 uses its limit alone."""

    low: float
    high: float
    origin: Origin
    """Where it comes from; `tied`: it was widened to share the scale of other tensors."""
    calibrator: str | None = None
    """The kind that found it; None for a manual range."""
    calibrator_options: dict[str, float | int | str | bool] = {}
    """Its options, those that the recipe leaves out included."""
    observed: tuple[float, float] | None = None
    """The least and the largest value that calibration saw."""
    clipped: float | None = None
    """The share (0..1) of the values calibration saw that lie beyond the limit."""
    clipped_db: float | None = None
    """Of a manual range: the power of those values over that of what is cut off, in dB."""
    entry: str | None = None
    """The name, pattern or file of the recipe that gave a manual range."""
    tied_with: tuple[str, ...] = ()
    """The other tensors that have the same scale because they must share one."""

    @property
    def limit(self) -> float:
        """The largest absolute value the range can represent."""
        return max(abs(self.low), abs(self.high))

    @property
    def found_by(self) -> str:
        """The calibrator in words: `percentile (percentile: 99.9)`; empty where there is none."""
        options = ", ".join(f"{name}: {value}" for name, value in self.calibrator_options.items())
        return f"{self.calibrator or ''} ({options})" if options else self.calibrator or ""

    def scale_in(self, into: QuantizedType) -> float:
        """Return the scale in a type: limit / 127 in INT8, limit / 448 in FP8.

        The limit maps to 127, not 128: int8 has no +128, so a scale made with 128 would clip
        the largest values of every tensor.
        """
        return self.limit / into.largest

    def replace(
        self, low: float, high: float, origin: Origin, *, entry: str | None = None
    ) -> "Range":
        """Return another range for the same tensor, with what calibration saw of it.

        Where it is this very range, as in a table of an earlier build, that says more.
        """
        if (low, high, origin, entry) == (self.low, self.high, self.origin, self.entry):
            return self
        seen = self.observed
        wide = seen is not None and max(map(abs, seen)) <= max(abs(low), abs(high))
        return Range(
            low=low,
            high=high,
            origin=origin,
            calibrator=self.calibrator if origin == "tied" else None,
            calibrator_options=self.calibrator_options if origin == "tied" else {},
            observed=seen,
            # How many values a narrower range clips, only the histogram could tell.
            clipped=0.0 if wide else None,
            entry=entry,
        )


class Ranges(Options):
    """Ranges by tensor name: the one table that every calibrator fills and every backend reads."""

    tensors: dict[str, Range]
    samples: int | None = None
    """How many samples calibration consumed; None where it consumed none."""

    def override(
        self,
        manual: Mapping[str, tuple[float, float]],
        names: Iterable[str],
        *,
        filed: Mapping[str, tuple[float, float]] | None = None,
        file: str = "",
    ) -> "Ranges":
        """Lay manual (low, high) bounds over the table; they win.

        A key of `manual` is a tensor's name or a pattern over `names` (all the tensors of the
        model); the most specific counts (`core.patterns`). `filed` are the bounds of a file, by
        tensor name: they win over patterns, and names of `manual` win over them.

        Raises:
            StepInputError: two patterns mean a tensor, and neither is more specific.
        """
        everything = {*names, *self.tensors}
        entries = {name: (bounds, file) for name, bounds in (filed or {}).items()}
        entries = {name: found for name, found in entries.items() if name in everything}
        entries |= {key: (bounds, key) for key, bounds in manual.items()}
        chosen, disputed = assign_patterns(entries, everything)
        for name, rivals in disputed.items():
            raise StepInputError(
                f"`{name}` has two ranges: `{rivals[0]}` and `{rivals[1]}` both mean it",
                hint=f"give `{name}` a range by its name",
            )
        table = dict(self.tensors)
        for name, key in chosen.items():
            (low, high), entry = entries[key]
            before = table.get(name, Range(low=low, high=high, origin="manual"))
            table[name] = before.replace(low, high, "manual", entry=entry)
        return Ranges(tensors=dict(sorted(table.items())), samples=self.samples)
