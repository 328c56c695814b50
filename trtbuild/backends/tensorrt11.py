"""TensorRT 11: strongly typed; INT8 comes from Q/DQ pairs alone, on a GPU or a DLA."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from trtbuild.backends.base import BuildOrder, BuildResult, Capabilities
from trtbuild.backends.tensorrt.flavour import TRT11, Flavour
from trtbuild.backends.tensorrt.options import GpuTrtOptions
from trtbuild.backends.tensorrt.replacements import IN_11
from trtbuild.core.needs import Needs

if TYPE_CHECKING:
    from trtbuild.backends.tensorrt.settings import Settings

__all__ = ["Tensorrt11"]


class Tensorrt11(GpuTrtOptions):
    """TensorRT 11 engines for the GPU (or, from 11.4.1, DLA) of the machine that builds them."""

    flavour: ClassVar[Flavour] = TRT11
    instead: ClassVar[Mapping[str, str]] = IN_11
    capabilities: ClassVar[Capabilities] = Capabilities(
        modes=("explicit",),
        native_calibrators=(),
        typing=("strong",),
        runs_without_gpu=False,
        packages=("tensorrt", "polygraphy"),
        install=TRT11.install,
        major=TRT11.major,
    )

    kind: Literal["tensorrt11"]

    def needs(self) -> Needs:
        """Need the GPU that the engine is for."""
        return Needs(
            kind=self.kind,
            gpu=self.gpu_need(),
            own_process=True,
            limit_seconds=self.timeout_seconds,
        )

    def settings(self) -> Settings:
        """Return what is set on the builder."""
        from trtbuild.backends.tensorrt.settings import make_settings

        return make_settings(self)

    def build(self, order: BuildOrder) -> BuildResult:
        """Build as `Backend.build` says."""
        from trtbuild.backends.tensorrt.build import BuildJob
        from trtbuild.backends.tensorrt.gpu import build_on_gpu

        return build_on_gpu(
            BuildJob(TRT11, order, self.settings(), io_formats=self.io_formats), self
        )
