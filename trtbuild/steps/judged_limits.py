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
from trtbuild.calib.limit_search import Choice, search_limits
from trtbuild.core.errors import StepInputError
from trtbuild.model.providers import CPU, Providers

if TYPE_CHECKING:
    import onnx

    from trtbuild.calib.histogram import Histogram
    from trtbuild.model.feeds import Feed
    from trtbuild.model.session import Session
    from trtbuild.quant.trial import Trial

__all__ = ["Judged", "choose_judging", "search_judged", "spread_feeds"]

ONE_IN = 12
"""At most so many runs with pairs to compute are made of each sample that judges."""
LEAST = 16
"""Of fewer samples each is a chance of its own."""
CHEAP_VALUES = 1 << 24
"""So many values of tensors that need a range cost nothing to speak of."""
WATCHED = 3
READ_ONE_IN = 4
"""What single layers make of their inputs differs less from sample to sample."""
READERS = "readers"
"""The table of the limits with which the layers that read a tensor err least."""


class Judged(NamedTuple):
    """What the search found: limits by tensor, how the tables did in dB, on how many samples."""

    choices: dict[str, Choice]
    taken: str
    scores: dict[str, float]
    samples: int

    def describe(self) -> str:
        """Say how the tables did that were run on all samples."""
        told = ", ".join(f"{name} {score:.1f}" for name, score in self.scores.items())
        return (
            f"auto takes {self.taken}: by signal over error on {self.samples} samples (dB), {told}"
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
    each = sum(one.total for one in histograms.values()) // max(1, samples)
    return min(samples, most, max(samples // ONE_IN, CHEAP_VALUES // max(1, each), LEAST))


def search_judged(
    path: Path,
    feeds: Sequence[Feed],
    calibrators: Mapping[str, HostCalibrator],
    histograms: Mapping[str, Histogram],
    *,
    folder: Path,
    workers: int,
    providers: Providers = CPU,
) -> Judged:
    """Search the limits of the tensors that have `auto`; others' are those of the histograms.

    Raises:
        NothingToJudge: no output tells anything, or no tensor is quantized.
        StepInputError: the quantized model cannot be run.
    """
    from trtbuild.calib.judge import Judge, NothingToJudge

    seen = {name: one for name, one in histograms.items() if one.absmax}
    prepared = _prepare(path, {name: one.absmax for name, one in seen.items()}, folder)
    trial = prepared.trial
    if not trial.tensors:
        raise NothingToJudge
    free = [name for name in trial.tensors if _is_judged(calibrators[name])]
    tables = _list_tables(calibrators, {name: seen[name] for name in trial.tensors})
    with contextlib.suppress(StepInputError):  # what is wrong with a sample, the judge tells
        tables[READERS] = tables["mse"] | _find_readers(
            prepared, feeds, seen, free, _Running(folder, workers, providers)
        )
    last = [name for name in trial.tensors if name not in prepared.fed][-WATCHED:]
    judge = Judge(
        _start(prepared.plain, folder / "plain.onnx", last, providers),
        _start(trial.model, folder / "quantized.onnx", last, providers),
        feeds,
        trial.scales,
        fixed=prepared.fed,
        workers=workers,
    )
    best = search_limits(tables, judge, basis=Auto.BASIS)
    tied = trial.tie({name: one.limit for name, one in best.choices.items()})
    choices = {name: best.choices[name]._replace(limit=tied[name]) for name in free}
    return Judged(choices, best.taken, best.scores, judge.samples)


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
        feeds[READ_ONE_IN // 2 :: READ_ONE_IN] or feeds[:1],
        readers.readings,
        trial.scales,
        {name: seen[name].absmax for name in trial.tensors},
        trial.find_group,
        workers=running.workers,
    )
    return {name: min(found[name], seen[name].absmax) for name in free if name in found}


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
    trial: Trial
    fed: tuple[str, ...]
    """Names of the inputs."""


def _prepare(path: Path, limits: Mapping[str, float], folder: Path) -> _Prepared:
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
