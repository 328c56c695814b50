"""TensorRT 11: strongly typed; INT8 comes from Q/DQ pairs alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Literal

from trtbuild.backends.base import (
    NO_EXTRAS,
    Asked,
    Built,
    Capabilities,
    Extras,
    Profile,
    Progress,
)
from trtbuild.backends.instead import IN_11
from trtbuild.backends.trt_flavour import TRT11, Flavour
from trtbuild.backends.trt_options import GpuTrtOptions
from trtbuild.backends.trt_settings import Settings, settings_of

__all__ = ["Tensorrt11"]


class Tensorrt11(GpuTrtOptions):
    """TensorRT 11 engines for the GPU of the machine that builds them."""

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

    def settings(self) -> Settings:
        """Return what is set on the builder."""
        return settings_of(self)

    def network_arguments(self) -> Mapping[str, bool]:
        """Return what Polygraphy's NetworkFromOnnxPath is told: strong typing is all there is."""
        return {}

    def build(
        self,
        model: Path,
        engine: Path,
        *,
        profiles: Sequence[Profile],
        asked: Sequence[Asked],
        progress: Progress,
        extras: Extras = NO_EXTRAS,
    ) -> Built:
        """Build as `Backend.build` says."""
        from trtbuild.backends.trt_build import Job
        from trtbuild.backends.trt_gpu import build_on_gpu

        job = Job(TRT11, model, engine, self.settings(), profiles, progress, extras)
        job.io_formats = self.io_formats
        return build_on_gpu(job, self, asked)
