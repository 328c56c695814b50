"""How an engine is run, as its target in a recipe says it: no engine changes by it."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from trtbuild.core.options import NonEmpty, Options

__all__ = ["RtxRuntimeOptions", "RuntimeOptions", "Specialization"]

Specialization = Literal["lazy", "eager", "none"]
_IN_RTX = "leave it out: TensorRT-RTX alone compiles kernels where the engine runs"


class RuntimeOptions(Options):
    """How an engine of TensorRT 10 or 11 is run: by a pipeline, a server, or a bundle's user."""

    instead: ClassVar[Mapping[str, str]] = {"specialize": _IN_RTX, "cache": _IN_RTX}

    graphs: bool = True
    """Whether runs of shapes that come again are launched as CUDA graphs."""


class RtxRuntimeOptions(RuntimeOptions):
    """How an engine of TensorRT-RTX is run, which compiles its kernels on the GPU that runs it."""

    instead: ClassVar[Mapping[str, str]] = {}

    specialize: Specialization = "lazy"
    """When kernels are compiled for the shapes that come, where an engine has open ones: `lazy`,
    beside the first runs; `eager`, before them; `none`, never."""
    # No `Location`: it is written by who runs the engine, and no build ever reads it.
    cache: NonEmpty | None = None
    """A file, relative to the recipe, that keeps what was compiled for the next start; of a bundle
    it lies beside that."""
