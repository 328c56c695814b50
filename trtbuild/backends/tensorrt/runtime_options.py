"""How an engine is run, as its target in a recipe says it: no engine changes by it."""

from typing import Literal

from trtbuild.core.options import NonEmpty, Options

__all__ = ["RtxRuntimeOptions", "RuntimeOptions", "Specialization"]

Specialization = Literal["lazy", "eager", "none"]


class RuntimeOptions(Options):
    """How an engine of TensorRT 10 or 11 is run: by a pipeline, a server, or a bundle's user."""

    graphs: bool = True
    """Whether runs of shapes that come again are launched as CUDA graphs."""


class RtxRuntimeOptions(RuntimeOptions):
    """How an engine of TensorRT-RTX is run, which compiles its kernels on the GPU that runs it."""

    specialize: Specialization = "lazy"
    """When kernels are compiled for the shapes that come, where an engine has open ones: `lazy`,
    beside the first runs; `eager`, before them; `none`, never."""
    # No `Location`: it is written by who runs the engine, and no build ever reads it.
    cache: NonEmpty | None = None
    """A file, relative to the recipe, that keeps what was compiled for the next start; of a bundle
    it lies beside that."""
