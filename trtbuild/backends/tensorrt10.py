"""TensorRT 10: the last with implicit quantization, FP16 and BF16 by flag, and DLA."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from trtbuild.backends.base import BuildOrder, BuildResult, Capabilities, ImplicitQuantization
from trtbuild.backends.tensorrt.flavour import TRT10, Flavour
from trtbuild.backends.tensorrt.options import GpuTrtOptions
from trtbuild.backends.tensorrt.replacements import IN_10
from trtbuild.core.needs import Needs
from trtbuild.core.options import NonEmpty

if TYPE_CHECKING:
    from trtbuild.backends.tensorrt.build import BuildJob
    from trtbuild.backends.tensorrt.settings import Settings

__all__ = ["Tensorrt10"]

Preview10 = Literal[
    "profile_sharing_0806",
    "aliased_plugin_io_10_03",
    "runtime_activation_resize_10_10",
    "multidevice_runtime_10_16",
]
Source10 = Literal["cublas", "cublas_lt", "cudnn", "edge_mask_convolutions", "jit_convolutions"]
DataType = Literal["float", "half", "bf16", "int8", "int32", "int64", "uint8", "bool"]


class Tensorrt10(GpuTrtOptions):
    """TensorRT 10 engines for the GPU (or DLA) of the machine that builds them."""

    flavour: ClassVar[Flavour] = TRT10
    instead: ClassVar[Mapping[str, str]] = IN_10
    capabilities: ClassVar[Capabilities] = Capabilities(
        modes=("explicit", "implicit"),
        native_calibrators=("entropy", "entropy2", "legacy", "minmax"),
        typing=("strong", "weak"),
        runs_without_gpu=False,
        packages=("tensorrt", "polygraphy"),
        install=TRT10.install,
        major=TRT10.major,
    )

    kind: Literal["tensorrt10"]
    fp16: bool = False
    """Let TensorRT compute in FP16 what it finds faster so. The network is then weakly typed."""
    bf16: bool = False
    """Let TensorRT compute in BF16 what it finds faster so. The network is then weakly typed."""
    precision_constraints: Literal["obey", "prefer"] = "obey"
    """In implicit mode: whether nodes that must stay float fail the build where they cannot
    (`obey`), or are left to TensorRT (`prefer`)."""
    ranges_as: Literal["tensors", "cache"] = "tensors"
    """In implicit mode: give the ranges to the tensors, or as a calibration cache, which TensorRT
    then takes as its own calibrator's."""
    preview_features: tuple[Preview10, ...] = ()  # type: ignore[assignment]  # it has more
    """Features that are not yet TensorRT's default; with any given, all others are switched off."""
    tactic_sources: tuple[Source10, ...] | None = None  # type: ignore[assignment]  # as above
    """The libraries of kernels to choose from, and no others; TensorRT's own choice without it."""
    io_types: dict[NonEmpty, DataType] = {}
    """Types that an input or output shall have, by its name, where the network is weakly typed."""

    def weakly_typed(self, *, implicit: bool) -> bool:
        """Tell whether TensorRT chooses types: only so are there flags, and types of outputs."""
        return implicit or self.fp16 or self.bf16

    def needs(self) -> Needs:
        """Need the GPU that the engine is for."""
        return Needs(
            kind=self.kind,
            gpu=self.gpu_need(),
            own_process=True,
            limit_seconds=self.timeout_seconds,
        )

    def settings(self, *, implicit: bool = False, quantized: bool = False) -> Settings:
        """Return what is set on the builder; `quantized` models hold Q/DQ pairs."""
        from trtbuild.backends.tensorrt.settings import make_settings

        made = make_settings(self)
        made.arguments |= {name: True for name in ("fp16", "bf16") if getattr(self, name)}
        if implicit or (quantized and self.weakly_typed(implicit=False)):
            made.arguments["int8"] = True
        if implicit:
            made.arguments["precision_constraints"] = self.precision_constraints
        return made

    def network_arguments(self, *, implicit: bool = False) -> Mapping[str, bool]:
        """Return the arguments of Polygraphy's NetworkFromOnnxPath."""
        return {"strongly_typed": not self.weakly_typed(implicit=implicit)}

    def build(self, order: BuildOrder) -> BuildResult:
        """Build as `Backend.build` says; `order.implicit` has ranges for a model without pairs."""
        from trtbuild.backends.model import OnnxModel
        from trtbuild.backends.tensorrt.build import BuildJob
        from trtbuild.backends.tensorrt.gpu import build_on_gpu

        implicit, nodes = order.implicit is not None, OnnxModel.read(order.model).nodes
        quantized = any(node.op_type == "DequantizeLinear" for node in nodes)
        job = BuildJob(
            TRT10,
            order,
            self.settings(implicit=implicit, quantized=quantized),
            network=dict(self.network_arguments(implicit=implicit)),
            io_formats=self.io_formats,
            io_types=self.io_types,
        )
        if order.implicit is None:
            return build_on_gpu(job, self)
        return self._build_implicit(job, order.implicit)

    def _build_implicit(self, job: BuildJob, implicit: ImplicitQuantization) -> BuildResult:
        from trtbuild.backends.tensorrt.gpu import build_on_gpu
        from trtbuild.backends.tensorrt.implicit import NetworkRanges

        beside = job.order.engine.with_name("calibration.cache")
        cache = beside if self.ranges_as == "cache" else None
        given = NetworkRanges(implicit, cache=cache)
        job.edit = given.edit
        job.calibrator = given.calibrator if cache is not None else None
        return given.note_unused(build_on_gpu(job, self))
