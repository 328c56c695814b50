"""Judge the kinds that `auto` chooses from: a second pass, with the quantized model."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from trtbuild.calib.auto import Auto
from trtbuild.calib.base import HostCalibrator

if TYPE_CHECKING:
    import onnx

    from trtbuild.calib.histogram import Histogram
    from trtbuild.model.feeds import Feed
    from trtbuild.model.session import Session
    from trtbuild.quant.trial import Trial

__all__ = ["Judged", "choose_judging", "judge_kinds", "spread_feeds"]

ONE_IN = 8
"""Five kinds and the model as it is, with pairs to compute: so many runs cost about one pass."""
CHEAP_VALUES = 1 << 26
"""So many values of tensors that need a range cost nothing to speak of."""
WATCHED = 3
PREFERENCE_DB = 0.2
"""What another kind must be better than mse to be taken: less is the noise of the samples."""


class Judged(NamedTuple):
    """How the kinds did, best first, in dB, on how many samples."""

    scores: dict[str, float]
    samples: int

    @property
    def best(self) -> str:
        """The kind that did best; the first of KINDS where none is clearly better."""
        leader, first = next(iter(self.scores)), Auto.KINDS[0]
        clear = self.scores[leader] > self.scores[first] + PREFERENCE_DB
        return leader if clear else first

    def describe(self) -> str:
        """Say how all did."""
        told = ", ".join(f"{kind} {score:.1f}" for kind, score in self.scores.items())
        return (
            f"auto takes {self.best}: by signal over error on {self.samples} samples (dB), {told}"
        )


def choose_judging(
    calibrators: Mapping[str, HostCalibrator],
    histograms: Mapping[str, Histogram],
    samples: int,
) -> int:
    """Return how many samples are to judge; 0 where no tensor has `auto`, or all leave it out."""
    autos = [one for one in calibrators.values() if isinstance(one, Auto)]
    most = max((one.samples for one in autos), default=0)
    each = sum(one.total for one in histograms.values()) // max(1, samples)
    return min(samples, most, max(samples // ONE_IN, CHEAP_VALUES // max(1, each), 1))


def judge_kinds(
    path: Path,
    feeds: Sequence[Feed],
    calibrators: Mapping[str, HostCalibrator],
    histograms: Mapping[str, Histogram],
    *,
    folder: Path,
    workers: int,
) -> Judged:
    """Run the kinds that `auto` chooses from on feeds; others' limits are those of the histograms.

    Raises:
        NothingToJudge: no output tells anything, or no tensor is quantized.
        StepInputError: the quantized model cannot be run.
    """
    from trtbuild.calib.judge import Judge, NothingToJudge

    seen = {name: one for name, one in histograms.items() if one.absmax}
    trial, sessions = _open(path, {name: one.absmax for name, one in seen.items()}, folder)
    if not trial.tensors:
        raise NothingToJudge
    judge = Judge(*sessions, feeds, trial.scales, workers=workers)
    scores = {}
    for kind, limits in _list_tables(calibrators, seen).items():
        scores[kind] = judge({name: limits[name] for name in trial.tensors})
    order = sorted(scores, key=lambda kind: -scores[kind])
    return Judged({kind: scores[kind] for kind in order}, judge.samples)


def _list_tables(
    calibrators: Mapping[str, HostCalibrator], seen: Mapping[str, Histogram]
) -> dict[str, dict[str, float]]:
    tables: dict[str, dict[str, float]] = {}
    for name, histogram in seen.items():
        one = calibrators[name]
        offered = one.offer(histogram) if isinstance(one, Auto) else {}
        kinds = offered or dict.fromkeys(Auto.KINDS, one.limit(histogram))
        for kind, limit in kinds.items():
            tables.setdefault(kind, {})[name] = min(limit, histogram.absmax)
    return tables


def spread_feeds(
    feeds: Iterable[Feed], count: int, samples: int, broken: AbstractSet[int]
) -> list[Feed]:
    """Return feeds with `count` of so many samples, evenly spread, but none that is broken."""
    taken: list[Feed] = []
    first = due = 0
    for feed in feeds:
        numbers = range(first, first := first + len(feed.samples))
        # The k-th of `count` parts has its sample in the middle.
        passed = (2 * first * count + samples) // (2 * samples)
        if passed > due and broken.isdisjoint(numbers):
            taken.append(feed)
        due = passed
    return taken


def _open(
    path: Path, limits: Mapping[str, float], folder: Path
) -> tuple[Trial, tuple[Session, Session]]:
    """Open the model as it is, and with pairs; both tell the last tensors that are quantized."""
    from trtbuild.model.onnx_file import load_onnx
    from trtbuild.model.plugins import cut_before_plugins
    from trtbuild.model.weights_file import use_scratch
    from trtbuild.quant.trial import Trial

    folder.mkdir(parents=True, exist_ok=True)
    plain, model = load_onnx(path), load_onnx(path)
    for each in (plain, model):
        cut_before_plugins(each)
    with use_scratch(folder / "scratch", of=model):
        trial = Trial(model, plain, limits)
        fed = {value.name for value in plain.graph.input}
        last = [name for name in trial.tensors if name not in fed][-WATCHED:]
        sessions = [
            _start(each, folder / f"{name}.onnx", last)
            for name, each in (("plain", copy.deepcopy(plain)), ("quantized", trial.model))
        ]
    return trial, (sessions[0], sessions[1])


def _start(model: onnx.ModelProto, path: Path, exposed: Iterable[str]) -> Session:
    """Open a session on one thread, with outputs added."""
    import onnx

    from trtbuild.model.session import open_session
    from trtbuild.model.weights_file import is_split, write_split

    known = {value.name for value in model.graph.output}
    for name in exposed:
        if name not in known:
            model.graph.output.append(onnx.ValueInfoProto(name=name))
    if not is_split(model):
        return open_session(model.SerializeToString(), threads=1)
    write_split(model, path, path.with_suffix(".weights"))
    return open_session(path.read_bytes(), threads=1, folder=path.parent, mapped=True)
