"""TensorRT-RTX: engines compiled ahead of time, without a GPU."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from trtbuild.backends.base import Capabilities
from trtbuild.core.options import ByteSize, Options

__all__ = ["TensorrtRtx"]


class TensorrtRtx(Options):
    """TensorRT-RTX engines for the compute capabilities listed; built without a GPU."""

    capabilities: ClassVar[Capabilities] = Capabilities(
        modes=("explicit",),
        native_calibrators=(),
        typing=("strong",),
        runs_without_gpu=True,
        packages=("tensorrt_rtx_cu13_bindings", "tensorrt_rtx_cu13_libs", "polygraphy"),
        install="pip install 'trtbuild[rtx-aot]'",
    )

    kind: Literal["tensorrt_rtx"]
    compute_capabilities: Annotated[tuple[float, ...], Field(min_length=1)] = (8.6, 8.9, 12.0)
    workspace: ByteSize | None = None
    builder_optimization_level: Annotated[int, Field(ge=0, le=5)] = 3
