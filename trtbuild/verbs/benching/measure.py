"""Models and engines timed where an executor runs them: the result, and why some are not in it."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from trtbuild.core.errors import StepFailed
from trtbuild.core.layer_times import LayerProfiles
from trtbuild.core.load import Load
from trtbuild.core.protocol import digest_of_protocol
from trtbuild.core.quantized_types import TYPES
from trtbuild.core.timing import (
    BenchResult,
    ColdStart,
    Contrast,
    NotRun,
    SpeedRow,
    TimedVariant,
)
from trtbuild.run.executor import Executor, Listener
from trtbuild.run.one_call import carry_out
from trtbuild.steps.time_load import BatchShapes
from trtbuild.steps.time_runners import MeasuredSpeed, TimeRunners
from trtbuild.steps.time_start import TimeStart
from trtbuild.steps.timed_subjects import TimedSubject, Timings
from trtbuild.timing.base import RunnerKind
from trtbuild.timing.contrasts import compare_apart, compare_paired
from trtbuild.timing.kinds import AnyRunner
from trtbuild.verbs.benching.loads import measure_load

__all__ = ["BenchWork", "contrast_rows", "measure"]

ORDER = ("source", "fp32", "half", *TYPES)
"""Of a recipe's models, each held against those before it."""


@dataclass(frozen=True)
class BenchWork:
    """What is to be timed."""

    name: str
    subjects: tuple[TimedSubject, ...]
    runners: tuple[AnyRunner, ...]
    timings: Timings
    not_run: tuple[NotRun, ...] = ()
    """What is known not to run before anything is tried."""
    notes: tuple[str, ...] = ()
    cold: bool = True
    load: Load | None = None
    batches: tuple[BatchShapes, ...] = ()
    """Of requests that come at a rate, the sizes of batches and shapes."""

    def find(self, variant: TimedVariant) -> tuple[TimedSubject, AnyRunner]:
        """Return the model of a variant, and what runs it."""
        subject = next(each for each in self.subjects if each.name == variant.model)
        runner = next(each for each in self.runners if _label(each) == variant.runner)
        return subject, runner


def measure(work: BenchWork, executor: Executor, listener: Listener) -> BenchResult:
    """Time all that can run: what shares a Python side by side in one process, engines in theirs.

    Raises:
        StepFailed: a process that times died, or found the shapes to be no model's.
    """
    found: list[MeasuredSpeed] = []
    groups = _group(work.subjects)
    for flavour, subjects in groups:
        step = TimeRunners(
            subjects=subjects, runners=work.runners, timings=work.timings, flavour=flavour
        )
        name = "time" if not flavour else f"time({flavour})"
        with carry_out(step, executor, name=name, listener=listener) as (out, _):
            text = (out / "speed.json").read_bytes()
            found.append(MeasuredSpeed.model_validate_json(text))
    variants = [each for one in found for each in one.variants]
    notes = list(work.notes)
    if work.cold:
        variants = [_start(each, work, executor, listener, notes) for each in variants]
    return BenchResult(
        name=work.name,
        when=dt.datetime.now(dt.UTC).isoformat(timespec="microseconds"),
        protocol=work.timings.protocol,
        protocol_digest=digest_of_protocol(work.timings.protocol),
        machine=found[-1].machine,
        variants=tuple(variants),
        rows=tuple(row for one in found for row in one.rows),
        contrasts=tuple(contrast_rows([one.rows for one in found])),
        layers=_join([one.layers for one in found]),
        load=measure_load(work, variants, executor, listener),
        not_run=(*(each for one in found for each in one.not_run), *work.not_run),
        doubts=tuple(dict.fromkeys(each for one in found for each in one.doubts)),
        notes=tuple(dict.fromkeys(notes)),
    )


def _join(found: Sequence[LayerProfiles]) -> LayerProfiles:
    return LayerProfiles(
        profiles=tuple(each for one in found for each in one.profiles),
        not_run=tuple(each for one in found for each in one.not_run),
    )


def _group(
    subjects: Sequence[TimedSubject],
) -> list[tuple[str, tuple[TimedSubject, ...]]]:
    """Return what runs in one process together, by the kind of target whose Python it needs."""
    flavours = dict.fromkeys(each.flavour for each in subjects)
    return [(name, tuple(each for each in subjects if each.flavour == name)) for name in flavours]


def _start(
    variant: TimedVariant, work: BenchWork, executor: Executor, listener: Listener, notes: list[str]
) -> TimedVariant:
    """Start a variant in a process of its own; where that fails, say so and leave it."""
    subject, runner = work.find(variant)
    timings = work.timings.model_copy(update={"only": ()})
    step = TimeStart(subject=subject, runner=runner, timings=timings, flavour=subject.flavour)
    try:
        with carry_out(step, executor, name=f"start({variant.name})", listener=listener) as (
            out,
            _,
        ):
            cold = ColdStart.model_validate_json((out / "start.json").read_bytes())
    except StepFailed as error:
        notes.append(f"{variant.name}: its start was not measured: {error.message}")
        return variant
    return variant.model_copy(update={"cold": cold})


def _label(runner: RunnerKind) -> str:
    return runner.label()


def contrast_rows(groups: Sequence[Sequence[SpeedRow]]) -> Iterator[Contrast]:
    """Compare rows of the same shapes: each with the first, and those that share model or runner.

    Rows of one group took turns; those of two did not.
    """
    firsts: dict[str, str] = {}
    for rows in groups:
        for row in rows:
            firsts.setdefault(str(row.shapes), row.variant)
    numbered = [(number, row) for number, rows in enumerate(groups) for row in rows]
    for (group, one), (other_group, other) in itertools.combinations(numbered, 2):
        if one.shapes != other.shapes:
            continue
        first = firsts[str(one.shapes)]
        if first not in (one.variant, other.variant) and not _are_kin(one.variant, other.variant):
            continue
        before, after = sorted((one, other), key=_rank)
        compare = compare_paired if group == other_group else compare_apart
        yield compare(
            after.variant, before.variant, one.shapes, after.host.blocks, before.host.blocks
        )


def _are_kin(one: str, other: str) -> bool:
    """Tell whether two variants share their model or their runner."""
    (model, _, runner), (other_model, _, other_runner) = one.rpartition("/"), other.rpartition("/")
    return model == other_model or runner == other_runner


def _rank(row: SpeedRow) -> int:
    model = row.variant.rpartition("/")[0]
    return ORDER.index(model) if model in ORDER else len(ORDER)
