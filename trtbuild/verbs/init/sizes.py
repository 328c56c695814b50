"""Sizes for the dimensions that a model leaves open, tried on the model where that can be done."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, product
from typing import Literal

from trtbuild.core.errors import StepInputError
from trtbuild.core.words import abbreviate
from trtbuild.verbs.init.feeding import FedInput
from trtbuild.verbs.init.model_look import Shapes, TrialRun

__all__ = ["SizePlan", "Span", "choose_sizes"]

Span = tuple[int, int, int]
"""min, opt, max."""
Kind = Literal["batch", "height", "width", "channels", "length", "samples", "frames"]

MOST_TRIALS = 60
LARGE = 3 * 640 * 640
"""Values of a sample from which a batch is kept small."""
_LENGTHS: tuple[Span, ...] = (
    (1, 128, 512), (1, 64, 256), (1, 32, 128), (1, 32, 77), (1, 32, 64), (1, 16, 32), (1, 8, 16),
    (16, 64, 256), (16, 32, 64), (8, 8, 8), (16, 16, 16), (32, 32, 32), (64, 64, 64), (77, 77, 77),
    (128, 128, 128), (256, 256, 256), (512, 512, 512), (10, 10, 10), (4, 4, 4), (1, 1, 1),
)  # fmt: skip
_SAMPLES: tuple[Span, ...] = (
    (8000, 16000, 160000), (4000, 16000, 64000), (16000, 16000, 16000), (48000, 48000, 48000),
    (8000, 8000, 8000), (1024, 1024, 1024), (512, 512, 512), (160000, 160000, 160000),
)  # fmt: skip
_FRAMES: tuple[Span, ...] = (
    (10, 100, 1000), (50, 100, 500), (100, 100, 100), (98, 98, 98), (64, 64, 64), (32, 32, 32),
    (3000, 3000, 3000), (1024, 1024, 1024), (16, 16, 16), (1, 1, 1),
)  # fmt: skip
_BATCHES: tuple[Span, ...] = ((1, 8, 32), (1, 1, 1))
_SIDE = re.compile(r"height|width|^[hw]$|_[hw]$")
_TIME = re.compile(r"frame|time|step")


@dataclass(frozen=True)
class SizePlan:
    """Sizes by the name of an open dimension, and what came of trying them."""

    spans: Mapping[str, Span] = field(default_factory=dict)
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    outputs: Shapes = field(default_factory=dict)
    """Shapes of outputs at `opt`, with a batch of the least size."""
    problem: str = ""
    """Why the model could not be tried; empty where it ran, or had nothing open."""

    def shape(self, fed: FedInput, place: int, *, batch: int | None = None) -> tuple[int, ...]:
        """Return an input's shape at min, opt or max (0 to 2), with another batch if told."""
        return tuple(
            batch
            if batch is not None and axis == fed.axis and isinstance(size, str)
            else self.spans[size][place]
            if isinstance(size, str)
            else size
            for axis, size in enumerate(fed.spec.shape)
        )

    def sample(self, fed: FedInput) -> tuple[int, ...]:
        """Return the shape of one sample at `opt`."""
        whole = self.shape(fed, 1)
        return tuple(size for axis, size in enumerate(whole) if axis != fed.axis)


def choose_sizes(
    fed: Sequence[FedInput],
    trial: TrialRun | None,
    *,
    side: tuple[int, int] | None = None,
    longest: int | None = None,
) -> SizePlan:
    """Choose sizes that the model runs at, as wide as those tried allow.

    `side` is the height and width of a picture, `longest` the most tokens, where something says so.
    """
    kinds = _find_kinds(fed)
    if not kinds:
        return SizePlan()
    first = problem = None
    for spans in islice(_list_spans(kinds, side, longest), MOST_TRIALS):
        plan = SizePlan({name: spans[kind] for name, kind in kinds.items()}, kinds)
        plan = _fit_batch(plan, fed)
        first = first or plan
        if trial is None:
            return plan
        try:
            return _try_batch(_try(plan, fed, trial), fed, trial)
        except StepInputError as error:
            problem = problem or abbreviate(error.message.split("\n", maxsplit=1)[0])
    assert first is not None  # noqa: S101  # there is one set of sizes at least
    return SizePlan(first.spans, kinds, problem=problem or "")


def _find_kinds(fed: Sequence[FedInput]) -> dict[str, Kind]:
    found: dict[str, Kind] = {}
    for each in fed:
        for axis, size in enumerate(each.spec.shape):
            if isinstance(size, str) and (axis == each.axis or size not in found):
                found[size] = _kind(each, axis, size.lower())
    return found


def _kind(fed: FedInput, axis: int, name: str) -> Kind:
    if axis == fed.axis:
        return "batch"
    if fed.role == "picture":
        if axis == fed.channel_axis:
            return "channels"
        return "height" if axis == fed.plane_axes[0] else "width"
    rank = len(fed.spec.shape)
    if _SIDE.search(name):
        return "width" if name.endswith(("w", "width")) else "height"
    if fed.role == "signal":
        alone = axis == rank - 1 and all(size == 1 for size in fed.spec.shape[1:axis])
        return "samples" if alone else "frames"
    return "frames" if _TIME.search(name) and fed.role == "numbers" else "length"


def _list_spans(
    kinds: Mapping[str, Kind], side: tuple[int, int] | None, longest: int | None
) -> Iterator[dict[Kind, Span]]:
    """Yield sizes by kind, those that allow most first."""
    lists: list[list[dict[Kind, Span]]] = []
    present = set(kinds.values())
    if present & {"height", "width"}:
        lists.append([_sides(*each) for each in _list_sides(side)])
    if "channels" in present:
        lists.append([{"channels": (3, 3, 3)}, {"channels": (1, 1, 1)}])
    lengths = tuple(span for span in _LENGTHS if longest is None or span[2] <= longest)
    for kind, spans in (
        ("length", lengths or _LENGTHS[-1:]),
        ("samples", _SAMPLES),
        ("frames", _FRAMES),
    ):
        if kind in present:
            lists.append([{kind: span} for span in spans])
    places = product(*(range(len(each)) for each in lists))
    for chosen in sorted(places, key=sum):
        spans_by_kind: dict[Kind, Span] = {"batch": _BATCHES[0]}
        for options, place in zip(lists, chosen, strict=True):
            spans_by_kind |= options[place]
        yield spans_by_kind


def _list_sides(side: tuple[int, int] | None) -> Iterator[tuple[Span, Span]]:
    for height, width in [side] if side else [(224, 224), (256, 256), (64, 64), (32, 32), (28, 28)]:
        half, double = (height // 2, width // 2), (height * 2, width * 2)
        yield (half[0], height, double[0]), (half[1], width, double[1])
        yield (height, height, double[0]), (width, width, double[1])
        yield (height,) * 3, (width,) * 3


def _sides(height: Span, width: Span) -> dict[Kind, Span]:
    return {"height": height, "width": width}


def _fit_batch(plan: SizePlan, fed: Sequence[FedInput]) -> SizePlan:
    """Keep the batch small where a sample is large."""
    most = 0
    for each in fed:
        values = 1
        for size in plan.sample(each):
            values *= size
        most = max(most, values)
    return _with_batch(plan, (1, 2, 8)) if most >= LARGE else plan


def _with_batch(plan: SizePlan, span: Span) -> SizePlan:
    spans = {name: span if plan.kinds[name] == "batch" else own for name, own in plan.spans.items()}
    return SizePlan(spans, plan.kinds, plan.outputs)


def _values(fed: Sequence[FedInput], plan: SizePlan) -> dict[str, tuple[float, float]]:
    """Return what inputs are tried with; sizes are fed as a picture's side, or 1."""
    side = next((s[1] for n, s in plan.spans.items() if plan.kinds[n] == "height"), 16)
    found = {}
    for each in fed:
        low, high = each.low, each.high
        if each.fill is not None:
            low, high = each.fill, each.fill
        if each.role == "sizes":
            low = high = float(side)
        found[each.spec.name] = (low, high)
    return found


def _try(plan: SizePlan, fed: Sequence[FedInput], trial: TrialRun) -> SizePlan:
    """Run the model at opt, min and max, with a batch of 1.

    Raises:
        StepInputError: it does not run at one of them.
    """
    values = _values(fed, plan)
    outputs: dict[str, tuple[int, ...]] = {}
    tried: list[dict[str, tuple[int, ...]]] = []
    for place in (1, 0, 2):
        shapes = {each.spec.name: plan.shape(each, place, batch=1) for each in fed}
        if shapes not in tried:
            tried.append(shapes)
            made = trial(shapes, values)
            outputs = outputs or dict(made)
    return SizePlan(plan.spans, plan.kinds, outputs)


def _try_batch(plan: SizePlan, fed: Sequence[FedInput], trial: TrialRun) -> SizePlan:
    """Run the model with a batch of 2, or have none but 1."""
    if "batch" not in plan.kinds.values():
        return plan
    try:
        trial({each.spec.name: plan.shape(each, 1, batch=2) for each in fed}, _values(fed, plan))
    except StepInputError:
        return _with_batch(plan, _BATCHES[1])
    return plan
