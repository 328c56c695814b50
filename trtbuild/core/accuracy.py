"""How right each model of a recipe is, to be set beside what it costs."""

from collections.abc import Mapping

from trtbuild.core.comparison import Comparison, Measure
from trtbuild.core.options import Options
from trtbuild.core.words import Unit

__all__ = ["Accuracy", "list_accuracy"]


class Accuracy(Options):
    """A figure of one model, as a comparison has it."""

    model: str
    """`fp32`, `int8`, a target's name."""
    metric: str
    output: str
    unit: Unit = ""
    """A share is in 0..1."""
    value: float
    low: float | None = None
    high: float | None = None
    """Where it lies with 95 % confidence, where that is known."""
    measured_by: str
    """What ran it: figures of ONNX Runtime are not an engine's."""


def list_accuracy(
    comparison: Comparison | None, engines: Mapping[str, Comparison], quantized: str = "int8"
) -> tuple[Accuracy, ...]:
    """Return the first figure that both sides of a comparison have, of each model and engine.

    The reference's own value stands for the float model and the module that it comes from, the
    candidate's for what was made of it, which goes by the type that it is `quantized` to. Empty
    where no metric goes by labels.
    """
    found: list[Accuracy] = []
    own = None if comparison is None else _find_own(comparison)
    if comparison is not None and own is not None:
        runner = comparison.runner
        found += [_of_reference(model, own, runner) for model in ("source", "fp32")]
        found += [_of_candidate(model, own, runner) for model in ("half", quantized)]
    for name, each in engines.items():
        mine = _find_own(each)
        if mine is not None and (
            own is None or (mine.metric, mine.output) == (own.metric, own.output)
        ):
            found.append(_of_candidate(name, mine, each.runner))
    return tuple(found)


def _find_own(found: Comparison) -> Measure | None:
    sides = (m for m in found.measures if m.value is not None and m.reference is not None)
    return next(sides, None)


def _of_reference(model: str, own: Measure, runner: str) -> Accuracy:
    assert own.reference is not None  # noqa: S101  # it was chosen so
    ends = own.intervals[0].reference if own.intervals else None
    return _make(model, own, own.reference, ends, runner)


def _of_candidate(model: str, own: Measure, runner: str) -> Accuracy:
    assert own.value is not None  # noqa: S101  # it was chosen so
    ends = own.intervals[0].value if own.intervals else None
    return _make(model, own, own.value, ends, runner)


def _make(
    model: str, own: Measure, value: float, ends: tuple[float, float] | None, runner: str
) -> Accuracy:
    low, high = ends or (None, None)
    return Accuracy(
        model=model,
        metric=own.metric,
        output=own.output,
        unit=own.unit,
        value=value,
        low=low,
        high=high,
        measured_by=runner,
    )
