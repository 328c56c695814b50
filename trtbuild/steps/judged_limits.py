"""Search the limits of `auto`: a second pass, with the quantized model."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from trtbuild.calib.auto import Auto
from trtbuild.calib.base import HostCalibrator
from trtbuild.calib.limit_search import LimitChoice, Searched, search_limits
from trtbuild.core.errors import StepInputError
from trtbuild.model.providers import CPU, Providers

if TYPE_CHECKING:
    import numpy as np
    import onnx

    from trtbuild.calib.histogram import Histogram
    from trtbuild.calib.judge import Index
    from trtbuild.model.feeds import Feed
    from trtbuild.model.session import Session
    from trtbuild.quant.trial import QuantizedTrial

__all__ = ["Judged", "choose_judging", "choose_repeats", "search_judged", "spread_feeds"]

ONE_IN = 8
"""At most so many runs with pairs to compute are made of each sample that judges."""
LEAST = 32
"""Of fewer samples each is a chance of its own; some tables are given up on a quarter of them."""
CHEAP_VALUES = 1 << 24
"""So many values of tensors that need a range cost nothing to speak of."""
MOST_RUNS = 256
MOST_REPEATS = 4
"""How often a sample judges where that costs next to nothing: how INT8 rounds is chance."""
WATCHED = 3
READ_ONE_IN = 4
"""What single layers make of their inputs differs less from sample to sample."""
READERS = "readers"
"""The table of the limits with which the layers that read a tensor err least.

It is what is taken unless another is clearly better: it alone looks at what limits do to a layer.
"""


class Judged(NamedTuple):
    """What the search found: limits by tensor, and how that did."""

    choices: dict[str, LimitChoice]
    found: Searched
    samples: int
    basis: str
    """The table that is taken where no other is clearly better."""

    def describe(self) -> str:
        """Say what was taken, and how all did that were run to the end."""
        one = self.found
        told = ", ".join(f"{name} {score:.1f}" for name, score in one.scores.items())
        better = ""
        if one.taken != self.basis:
            better = f", {one.gain:+.2f} dB to {self.basis} (standard error {one.spread:.2f})"
        return (
            f"auto takes {one.taken}{better}: by signal over error on {self.samples} samples "
            f"(dB), {told}; {one.runs} runs"
        )


class _Running(NamedTuple):
    """How models are run, and where they are written before."""

    folder: Path
    workers: int
    providers: Providers


def choose_judging(
    calibrators: Mapping[str, HostCalibrator],
    histograms: Mapping[str, Histogram],
    samples: int,
) -> int:
    """Return how many samples are to judge; 0 where no tensor has `auto`, or all leave it out."""
    autos = [one for one in calibrators.values() if isinstance(one, Auto)]
    most = max((one.samples for one in autos), default=0)
    cheap = CHEAP_VALUES // _count_values(histograms, samples)
    return min(samples, most, max(samples // ONE_IN, cheap, LEAST))


def choose_repeats(histograms: Mapping[str, Histogram], samples: int, judging: int) -> int:
    """Return how often each of the samples that judge is run: once, but more of small models."""
    cheap = 4 * CHEAP_VALUES // _count_values(histograms, samples)
    return max(1, min(MOST_REPEATS, min(MOST_RUNS, cheap) // max(1, judging)))


def _count_values(histograms: Mapping[str, Histogram], samples: int) -> int:
    """Return how many values a sample makes of the tensors that need a range."""
    return max(1, sum(one.total for one in histograms.values()) // max(1, samples))


def search_judged(  # noqa: PLR0913  # what is run, where, and how often
    path: Path,
    feeds: Sequence[Feed],
    calibrators: Mapping[str, HostCalibrator],
    histograms: Mapping[str, Histogram],
    *,
    folder: Path,
    workers: int,
    providers: Providers = CPU,
    repeats: int = 1,
) -> Judged:
    """Search the limits of the tensors that have `auto`; others' are those of the histograms.

    Each feed is run so many times with a table of limits, a little wider by other shares.

    Raises:
        NothingToJudge: no output tells anything, or no tensor is quantized.
        StepInputError: the quantized model cannot be run.
    """
    from trtbuild.calib.judge import Counting, Judge, NothingToJudge

    seen = {name: one for name, one in histograms.items() if one.absmax}
    prepared = _prepare(path, {name: one.absmax for name, one in seen.items()}, folder)
    trial = prepared.trial
    if not trial.tensors:
        raise NothingToJudge
    free = [name for name in trial.tensors if _is_judged(calibrators[name])]
    tables = _list_tables(calibrators, {name: seen[name] for name in trial.tensors})
    with contextlib.suppress(StepInputError):  # what is wrong with a sample, the judge tells
        # Where samples cost next to nothing all are read: an outlier may be in one of them alone.
        read = feeds if repeats > 1 else feeds[READ_ONE_IN // 2 :: READ_ONE_IN] or feeds[:1]
        tables[READERS] = tables["mse"] | _find_readers(
            prepared, read, seen, free, _Running(folder, workers, providers)
        )
    last = _find_last(prepared)
    judge = Judge(
        _start(prepared.plain, folder / "plain.onnx", last, providers),
        _start(trial.model, folder / "quantized.onnx", last, providers),
        feeds,
        trial.scales,
        fixed=prepared.fed,
        counting=Counting(last, _find_parts, repeats),
        workers=workers,
    )
    basis = READERS if READERS in tables else Auto.BASIS
    best = search_limits(tables, judge, basis=basis)
    tied = trial.tie({name: one.limit for name, one in best.choices.items()})
    choices = {name: best.choices[name]._replace(limit=tied[name]) for name in free}
    return Judged(choices, best, judge.samples, basis)


def _find_readers(  # all that the search knows
    prepared: _Prepared,
    feeds: Sequence[Feed],
    seen: Mapping[str, Histogram],
    free: Sequence[str],
    running: _Running,
) -> dict[str, float]:
    """Return the limits with which the readers of free tensors err least."""
    from trtbuild.calib.reader_limits import find_reader_limits
    from trtbuild.model.weights_file import use_scratch
    from trtbuild.quant.reader_trial import ReaderTrial

    trial = prepared.trial
    with use_scratch(running.folder / "scratch of readers", of=prepared.plain):
        readers = ReaderTrial(copy.deepcopy(prepared.plain), trial.model, trial.tensors)
    found = find_reader_limits(
        _start(readers.model, running.folder / "readers.onnx", (), running.providers),
        feeds,
        readers.readings,
        trial.scales,
        {name: seen[name].absmax for name in trial.tensors},
        trial.find_group,
        workers=running.workers,
    )
    return {name: min(found[name], seen[name].absmax) for name in free if name in found}


def _find_last(prepared: _Prepared) -> list[str]:
    """Return the last tensors that layers read in INT8, but the model's inputs and outputs."""
    own = {*prepared.fed, *(value.name for value in prepared.plain.graph.output)}
    return [name for name in prepared.trial.tensors if name not in own][-WATCHED:]


def _find_parts(name: str, outputs: Sequence[np.ndarray]) -> Sequence[Index]:
    """Return the parts of an output that differ in scale, as compare tells them apart."""
    from trtbuild.measure.scales import ScaleSurvey

    survey = ScaleSurvey(name, [each.shape[1:] for each in outputs])
    for each in outputs:
        survey.add(each)
    return [part.index for part in survey.find_parts().values()]


def _is_judged(calibrator: HostCalibrator) -> bool:
    return isinstance(calibrator, Auto) and calibrator.samples > 0


def _list_tables(
    calibrators: Mapping[str, HostCalibrator], seen: Mapping[str, Histogram]
) -> dict[str, dict[str, float]]:
    tables: dict[str, dict[str, float]] = {}
    for name, histogram in seen.items():
        one = calibrators[name]
        if isinstance(one, Auto) and _is_judged(one):
            kinds = one.offer(histogram)
        else:
            kinds = dict.fromkeys(Auto.KINDS, one.limit(histogram))
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


class _Prepared(NamedTuple):
    """The model as it is, and quantized."""

    plain: onnx.ModelProto
    trial: QuantizedTrial
    fed: tuple[str, ...]
    """Names of the inputs."""


def _prepare(path: Path, limits: Mapping[str, float], folder: Path) -> _Prepared:
    from trtbuild.model.onnx_file import load_onnx
    from trtbuild.model.plugins import cut_before_plugins
    from trtbuild.model.weights_file import use_scratch
    from trtbuild.quant.trial import QuantizedTrial

    folder.mkdir(parents=True, exist_ok=True)
    plain, model = load_onnx(path), load_onnx(path)
    for each in (plain, model):
        cut_before_plugins(each)
    with use_scratch(folder / "scratch", of=model):
        trial = QuantizedTrial(model, plain, limits)
    return _Prepared(plain, trial, tuple(value.name for value in plain.graph.input))


def _start(
    model: onnx.ModelProto, path: Path, exposed: Iterable[str], providers: Providers
) -> Session:
    """Open a session on one thread, with outputs added."""
    import onnx

    from trtbuild.model.session import open_session
    from trtbuild.model.weights_file import is_split, write_split

    known = {value.name for value in model.graph.output}
    for name in exposed:
        if name not in known:
            model.graph.output.append(onnx.ValueInfoProto(name=name))
    if not is_split(model):
        return open_session(model.SerializeToString(), threads=1, providers=providers)
    write_split(model, path, path.with_suffix(".weights"))
    return open_session(
        path.read_bytes(), threads=1, folder=path.parent, mapped=True, providers=providers
    )
