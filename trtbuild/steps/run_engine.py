"""Run an engine once, where its GPU is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from trtbuild.backends.tensorrt.engine import EngineKind, run_engine
from trtbuild.core.arrays import write_npz
from trtbuild.core.errors import StepInputError
from trtbuild.core.needs import GpuNeed, Needs
from trtbuild.steps.base import Context, Pinned, Step

__all__ = ["RunEngine"]


class RunEngine(Step):
    """Run an engine once on arrays, through Polygraphy's TrtRunner."""

    outputs: ClassVar[Mapping[str, str]] = {"outputs": "outputs.npz"}

    kind: Literal["run_engine"] = "run_engine"
    flavour: EngineKind
    engine: Pinned
    feed: Pinned
    """An npz file: an array an input."""
    plugins: tuple[Pinned, ...] = ()

    def needs(self) -> Needs:
        """Need a GPU, with whoever else is on it."""
        return Needs(kind=self.flavour, gpu=GpuNeed(), own_process=True)

    def run(self, context: Context) -> None:
        """Write outputs.npz, and note which of the engine's profiles took the inputs.

        Raises:
            StepInputError: the arrays fit no profile, or TensorRT does not load or run the engine.
            MissingDependency, NoGpu: that TensorRT or a GPU is not here.
        """
        import numpy as np

        with np.load(context.path(self.feed), allow_pickle=False) as file:
            feed = {name: file[name] for name in file.files}
        plugins = [context.path(plugin) for plugin in self.plugins]
        outputs, profile = run_engine(
            self.flavour, context.path(self.engine), feed, plugins=plugins
        )
        context.events.note(f"profile {profile}")
        with write_npz(self.out(context, "outputs")) as file:
            for name, values in outputs.items():
                try:
                    file.add(name, values)
                except ValueError as error:
                    raise StepInputError(f"output {error}, and cannot be kept") from None
