"""Run an engine over data, where its GPU is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

from trtbuild.backends.tensorrt.engine import EngineDescription, EngineKind, open_engine
from trtbuild.backends.tensorrt10 import Tensorrt10
from trtbuild.backends.tensorrt11 import Tensorrt11
from trtbuild.backends.tensorrt_rtx import TensorrtRtx
from trtbuild.core.arrays import write_npz
from trtbuild.core.errors import StepInputError
from trtbuild.core.needs import GPU, GpuNeed, Needs
from trtbuild.core.options import Options
from trtbuild.core.values import TensorSpec
from trtbuild.model.batching import SamplePlacement
from trtbuild.steps.base import Context, Pinned, Ref, Step
from trtbuild.steps.capture_data import DataInput
from trtbuild.steps.kept_outputs import KeptOutputs

__all__ = ["EngineRunner", "InferEngine"]

_PACKAGES = {
    "tensorrt_rtx": TensorrtRtx.capabilities.packages,
    "tensorrt11": Tensorrt11.capabilities.packages,
    "tensorrt10": Tensorrt10.capabilities.packages,
}


class EngineRunner(Options):
    """`runner.json`: what ran an engine."""

    runner: str
    """`TensorRT 10.16.1.11 on NVIDIA L4 (8.9)`."""


class InferEngine(Step):
    """Run an engine over every sample and keep its outputs, one array an output."""

    version: ClassVar[int] = 2
    outputs: ClassVar[Mapping[str, str]] = {"outputs": "outputs.npz", "runner": "runner.json"}

    kind: Literal["infer_engine"] = "infer_engine"
    flavour: EngineKind
    engine: Ref | Pinned
    """What a step built, or a file."""
    data: DataInput
    capability: str
    """Compute capability of the GPU that it is to run on."""
    plugins: tuple[Pinned, ...] = ()

    def fact_names(self) -> tuple[str, ...]:
        """Name what may change what this step makes: that TensorRT, and the GPU."""
        return (*_PACKAGES[self.flavour], GPU)

    def needs(self) -> Needs:
        """Need the engine's GPU, with whoever else is on it: nothing is timed."""
        return Needs(kind=self.flavour, gpu=GpuNeed(capability=self.capability), own_process=True)

    def run(self, context: Context) -> None:
        """Write outputs.npz as `infer` does, and runner.json.

        Raises:
            StepInputError: the samples fit no profile, an output cannot be kept, or TensorRT does
                not load or run the engine.
            MissingDependency, NoGpu: that TensorRT or a GPU is not here.
        """
        total = self.data.read_manifest(context).count
        plugins = [context.path(plugin) for plugin in self.plugins]
        with (
            open_engine(self.flavour, context.path(self.engine), plugins=plugins) as engine,
            write_npz(self.out(context, "outputs")) as file,
        ):
            placed = self.data.make_feeder(engine.description.inputs, context).placements
            inputs = _choose_batch(engine.description, placed, total)
            feeder = self.data.make_feeder(inputs, context)
            feeder.demand_whole_batches(total)
            kept = KeptOutputs(engine.description.outputs, feeder, reference=False)
            done = 0
            for feed in feeder.feeds(self.data.samples(context)):
                for name, rows in kept.rows(engine.run(feed.arrays)[0], feed.samples):
                    file.append(name, rows, ragged=True)
                done += len(feed.samples)
                context.events.progress(done, total, "samples")
            told = EngineRunner(runner=f"{engine.version} on {context.facts.get(GPU, 'a GPU')}")
        self.write(context, "runner", told)
        if feeder.batch > 1:
            context.events.note(f"the engine was fed {feeder.batch} samples at once")
        for note in kept.notes():
            context.events.note(note)


def _choose_batch(
    engine: EngineDescription, placed: Sequence[SamplePlacement], count: int
) -> Sequence[TensorSpec]:
    """Return the inputs, where open with the fewest samples that `count` and a profile allow."""
    axes = {
        each.spec.name: each.axis for each in placed if each.axis is not None and each.batch is None
    }
    spans = list(filter(None, (_span_of(axes, profile) for profile in engine.profiles)))
    if not spans:
        return engine.inputs
    fitting = [
        size
        for low, high in spans
        for size in range(max(low, 1), min(high, count) + 1)
        if count % size == 0
    ]
    if not fitting:
        taken = ", ".join(f"{low} to {high}" for low, high in spans)
        raise StepInputError(
            f"the engine takes {taken} samples at once, and {count} samples do not divide into "
            "such batches",
            hint="let a profile begin at a batch of 1, or take another `count` of samples",
        )
    return [_fix(spec, axes.get(spec.name), min(fitting)) for spec in engine.inputs]


def _fix(spec: TensorSpec, axis: int | None, size: int) -> TensorSpec:
    if axis is None:
        return spec
    return spec.model_copy(update={"shape": (*spec.shape[:axis], size, *spec.shape[axis + 1 :])})


def _span_of(
    axes: Mapping[str, int], profile: Mapping[str, Sequence[Sequence[int]]]
) -> tuple[int, int] | None:
    """Return how many samples a profile takes, at least and at most; None where that is fixed."""
    shapes = [(profile[name], axis) for name, axis in axes.items() if name in profile]
    if not shapes:
        return None
    return (
        max(low[axis] for (low, *_), axis in shapes),
        min(high[axis] for (*_, high), axis in shapes),
    )
