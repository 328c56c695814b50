"""Load an engine where its GPU is, and write down what it says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from trtbuild.backends.tensorrt.engine import EngineKind, describe_engine
from trtbuild.core.needs import GpuNeed, Needs
from trtbuild.steps.base import Context, Pinned, Step

__all__ = ["DescribeEngine"]


class DescribeEngine(Step):
    """Load an engine by the TensorRT it is of, in a process that may crash over it."""

    outputs: ClassVar[Mapping[str, str]] = {"description": "description.json"}

    kind: Literal["describe_engine"] = "describe_engine"
    flavour: EngineKind
    engine: Pinned
    plugins: tuple[Pinned, ...] = ()

    def needs(self) -> Needs:
        """Need a GPU, with whoever else is on it."""
        return Needs(kind=self.flavour, gpu=GpuNeed(), own_process=True)

    def run(self, context: Context) -> None:
        """Write description.json (backends.tensorrt.engine.EngineDescription).

        Raises:
            StepInputError: that TensorRT does not load it.
            MissingDependency, NoGpu: that TensorRT or a GPU is not here.
        """
        plugins = [context.path(plugin) for plugin in self.plugins]
        found = describe_engine(self.flavour, context.path(self.engine), plugins=plugins)
        self.out(context, "description").write_text(found.model_dump_json(), encoding="utf-8")
