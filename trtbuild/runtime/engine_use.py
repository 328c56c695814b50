"""How an engine is used on the GPU."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from trtbuild.backends.tensorrt.runtime_options import (
    RtxRuntimeOptions,
    RuntimeOptions,
    Specialization,
)
from trtbuild.core.errors import UsageError

__all__ = ["EngineUse", "Specialization"]


@dataclass(frozen=True)
class EngineUse:
    """What does not change its numbers, but how fast they come and what that takes."""

    contexts: int = 1
    """How many runs may be under way at once, each with memory of its own."""
    plugins: tuple[Path, ...] = ()
    """Libraries that it needs."""
    cache: Path | None = None
    """Of TensorRT-RTX, where kernels that are compiled on this GPU are kept."""
    graphs: bool = True
    """Whether runs of shapes that come again are launched as CUDA graphs."""
    specialize: Specialization = "lazy"
    """Of TensorRT-RTX, when kernels are compiled for the shapes that come, where an engine has open
    ones: beside the first runs, before them, or never."""

    def __post_init__(self) -> None:
        """Refuse what is none.

        Raises:
            UsageError: there are no contexts, or kernels are to be compiled at no known time.
        """
        if self.contexts < 1:
            raise UsageError(f"`contexts` is {self.contexts}, and an engine runs in one at least")
        known = get_args(Specialization)
        if self.specialize not in known:
            raise UsageError(f"`specialize` is one of {', '.join(known)}, not {self.specialize!r}")

    @classmethod
    def from_options(cls, options: RuntimeOptions, base: Path) -> EngineUse:
        """Return what a target, or a bundle, says; a file that it names is below `base`."""
        if not isinstance(options, RtxRuntimeOptions):
            return cls(graphs=options.graphs)
        cache = base / options.cache if options.cache is not None else None
        return cls(cache=cache, graphs=options.graphs, specialize=options.specialize)
