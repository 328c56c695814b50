"""What steps that time models are given: the models, what runs them, and what they are fed."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.core.options import Location, Options
from trtbuild.core.protocol import Protocol
from trtbuild.core.timing import NotRun, Shapes, TimedVariant
from trtbuild.core.values import TensorSpec
from trtbuild.model.feeds import Feeder
from trtbuild.model.input_feeding import InputFeeding
from trtbuild.sources import ModelSource
from trtbuild.steps.base import Context, Pinned
from trtbuild.timing.base import (
    OpenRunner,
    RunnerKind,
    Setting,
    SubjectSort,
    TimedModel,
    name_variant,
)
from trtbuild.timing.inputs import complete_shapes, draw_inputs, stack_samples
from trtbuild.timing.kinds import AnyRunner
from trtbuild.timing.machine import list_cores

if TYPE_CHECKING:
    from trtbuild.data.base import Sample
    from trtbuild.timing.base import Arrays

__all__ = ["FedSamples", "TimedSubject", "Timings", "describe_variant", "list_pairs"]


class TimedSubject(Options):
    """A model or engine that is to be timed, as a step is given it."""

    name: str
    sort: SubjectSort = "onnx"
    model: Pinned
    """The ONNX model, or the engine."""
    weights: Pinned | None = None
    """The file of its large weights, if it has one."""
    flavour: str = ""
    """Which TensorRT an engine is of."""
    plugins: tuple[Pinned, ...] = ()
    built_from: Pinned | None = None
    """Of an engine: the ONNX model that it was built from."""
    source: ModelSource | None = None
    """What makes a module; `model` is then what was exported from it, and `weights` its own."""
    base: Location = ""
    """The folder that paths in the source relate to."""

    def locate(self, context: Context) -> TimedModel:
        """Return it as runners take it; large weights are linked beside the model."""
        path = context.path(self.model)
        if self.source is not None:
            return self._locate_module(self.source, path, context)
        if self.weights is not None:
            from trtbuild.model.onnx_file import link_together

            folder = context.out.parent / "subjects" / self.name
            path = link_together(path, context.path(self.weights), folder)
        plugins = tuple(context.path(each) for each in self.plugins)
        built_from = None if self.built_from is None else context.path(self.built_from)
        return TimedModel(self.name, self.sort, path, plugins, self.flavour, built_from=built_from)

    def _locate_module(self, source: ModelSource, path: Path, context: Context) -> TimedModel:
        from trtbuild.timing.modules import explain_no_module, prepare_maker

        weights = None if self.weights is None else context.path(self.weights)
        return TimedModel(
            self.name,
            self.sort,
            path,
            make=prepare_maker(source, Path(self.base), weights, path),
            why_not=explain_no_module(source),
        )

    def size_bytes(self, context: Context) -> int:
        """Return the size of its files."""
        apart = self.weights is not None and self.source is None
        files = [self.model, *([self.weights] if self.weights and apart else [])]
        return sum(context.path(each).stat().st_size for each in files)


class FedSamples(Options):
    """Samples of a recipe's data, decoded, and what is known of how they are fed."""

    name: str
    samples: Pinned
    tensors: tuple[TensorSpec, ...]
    inputs: dict[str, InputFeeding] = {}

    def read(self, context: Context) -> list[Sample]:
        """Return the samples."""
        from trtbuild.data.archive import read_samples

        return list(read_samples(context.path(self.samples), labels=None, name_of=str))


class Timings(Options):
    """What the steps that time models have in common: a protocol, shapes, and what is fed."""

    protocol: Protocol
    shapes: tuple[Shapes, ...]
    """Sets of shapes of inputs; what they leave out is as the model has it."""
    values: tuple[str, ...] = ()
    """Inputs whose shapes are values."""
    fed: FedSamples | None = None
    only: tuple[str, ...] = ()
    """Variants by name or pattern; all by default."""

    def wants(self, name: str) -> bool:
        """Tell whether a variant is asked for."""
        return not self.only or any(fnmatch.fnmatchcase(name, each) for each in self.only)

    def setting(self) -> Setting:
        """Return what runners must know of the protocol."""
        return Setting(self.protocol.threads or len(list_cores()), self.protocol.cuda_graphs)

    def make_feed(
        self, inputs: Sequence[TensorSpec], shapes: Shapes, samples: Sequence[Sample]
    ) -> tuple[Arrays, Shapes, str]:
        """Return what a model is fed, the shapes of all inputs, and where it comes from in words.

        Raises:
            StepInputError: the shapes are none of the model's.
        """
        whole = complete_shapes(inputs, shapes)
        if self.fed is not None and samples and not self.values:
            feeder = Feeder(inputs, self.fed.tensors, self.fed.inputs)
            made = stack_samples(feeder, samples, whole)
            if made is not None:
                return made, whole, f"data {self.fed.name}"
        drawn = draw_inputs(inputs, whole, seed=self.protocol.seed, values=self.values)
        return drawn, whole, "seeded"


def list_pairs(
    subjects: Sequence[TimedSubject],
    runners: Sequence[AnyRunner],
    context: Context,
    timings: Timings,
) -> tuple[list[tuple[TimedSubject, TimedModel, RunnerKind]], list[NotRun]]:
    """Return each subject with each runner that is for it and can run it, and why others cannot."""
    found: list[tuple[TimedSubject, TimedModel, RunnerKind]] = []
    left: list[NotRun] = []
    for subject in subjects:
        located = subject.locate(context)
        for runner in runners:
            if not runner.takes(located):
                continue
            name = name_variant(subject.name, runner.label())
            if not timings.wants(name):
                left.append(NotRun(name=name, reason="not asked for"))
            elif why := _hinder(runner, located, timings.setting()):
                left.append(NotRun(name=name, reason=why))
            else:
                found.append((subject, located, runner))
    return found, left


def _hinder(runner: RunnerKind, subject: TimedModel, setting: Setting) -> str:
    from trtbuild.core.errors import TrtbuildError

    try:
        return runner.find_hindrance(subject, setting)
    except TrtbuildError as error:
        return error.message
    except ModuleNotFoundError as error:
        return f"`{error.name}` is not installed"


def describe_variant(
    subject: TimedSubject,
    located: TimedModel,
    runner: RunnerKind,
    opened: OpenRunner,
    context: Context,
) -> TimedVariant:
    """Say what was timed."""
    precision, notes = runner.describe(located, opened)
    return TimedVariant(
        name=name_variant(subject.name, runner.label()),
        model=subject.name,
        runner=runner.label(),
        on=runner.place(),
        model_digest=subject.model.digest,
        size_bytes=subject.size_bytes(context),
        libraries=dict(runner.libraries()),
        precision=precision,
        notes=notes,
    )
