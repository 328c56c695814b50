"""Replace the weights of an engine that is built, in the place of building it anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from trtbuild.backends.tensorrt.engine import EngineKind
from trtbuild.core.digest import digest_of_file
from trtbuild.core.needs import GPU, GpuNeed, Needs
from trtbuild.core.records import TargetResult
from trtbuild.steps.base import Context, Pinned, Ref, Step

__all__ = ["RefitEngine"]


class RefitEngine(Step):
    """Write an engine with other weights, and say of it what was said of the one before."""

    outputs: ClassVar[Mapping[str, str]] = {"engine": "model.engine", "result": "engine.json"}
    keeps_log: ClassVar[bool] = True

    kind: Literal["refit_engine"] = "refit_engine"
    flavour: EngineKind
    engine: Pinned
    result: Pinned
    """engine.json of that engine."""
    model: Ref
    """What the engine was built from, but for its weights."""
    changed: tuple[str, ...]
    """The names of the weights that are others."""
    capability: str = ""
    """Compute capability of the GPU that the engine is for."""
    plugins: tuple[Pinned, ...] = ()

    def fact_names(self) -> tuple[str, ...]:
        """TensorRT writes the engine, on its GPU."""
        return ("tensorrt", "polygraphy", GPU)

    def needs(self) -> Needs:
        """Need the engine's GPU, with whoever else is on it: nothing is timed."""
        return Needs(kind=self.flavour, gpu=GpuNeed(capability=self.capability), own_process=True)

    def run(self, context: Context) -> None:
        """Write model.engine and engine.json (core.overview.TargetResult).

        Raises:
            StepInputError: TensorRT does not take the weights; says which, and why.
            MissingDependency, NoGpu: that TensorRT or a GPU is not here.
        """
        from trtbuild.backends.tensorrt.refit import refit_engine

        before, engine = context.read(self.result, TargetResult), self.out(context, "engine")
        taken = refit_engine(
            self.flavour,
            context.path(self.engine),
            context.path(self.model),
            changed=self.changed,
            out=engine,
            plugins=[context.path(plugin) for plugin in self.plugins],
        )
        told = {
            "engine_digest": digest_of_file(engine),
            "engine_size_bytes": engine.stat().st_size,
            "model_digest": digest_of_file(context.path(self.model)),
            "refitted_from": before.engine_digest,
            "caveats": tuple(dict.fromkeys((*before.caveats, *context.caveats))),
        }
        self.write(context, "result", before.model_copy(update=told))
        context.events.note(
            f"{before.target}: {len(self.changed)} of {taken} weights that the engine lets be "
            "replaced are others now; its kernels are those of before"
        )
