"""The options that TensorRTs share; a flavour's class adds its own, and what it lacks it lacks."""

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from trtbuild.backends.base import BuiltEngine, Fit, Guarantee
from trtbuild.backends.tensorrt.flavour import Flavour
from trtbuild.backends.tensorrt.runtime_options import RuntimeOptions
from trtbuild.core.needs import GpuNeed
from trtbuild.core.options import LOCATION, ByteSize, Location, NonEmpty, Options, SizeOrAuto
from trtbuild.core.values import TensorSpec

__all__ = [
    "ANY_GPU",
    "MANAGED",
    "GpuTrtOptions",
    "Pools",
    "TensorFormat",
    "TrtOptions",
    "parse_capability",
]

MANAGED = "managed"
ANY_GPU = "the GPU it is built on"
Pools = dict[Literal["tactic_dram", "tactic_shared_memory"], Annotated[ByteSize, Field(gt=0)]]
GpuPools = dict[
    Literal[
        "tactic_dram",
        "tactic_shared_memory",
        "dla_managed_sram",
        "dla_local_dram",
        "dla_global_dram",
    ],
    Annotated[ByteSize, Field(gt=0)],
]
TensorFormat = Literal[
    "linear", "chw2", "hwc8", "chw4", "chw16", "chw32", "dhwc8", "cdhw32", "hwc", "hwc16", "dhwc"
]
"""TensorRT's layouts of network inputs and outputs; a DLA has more."""
GpuFormats = dict[
    NonEmpty,
    Annotated[tuple[TensorFormat | Literal["dla_linear", "dla_hwc4"], ...], Field(min_length=1)],
]


class TrtOptions(Options):
    """What every TensorRT can be told."""

    builder_optimization_level: Annotated[int, Field(ge=0, le=5)] = 3
    """How long the builder looks for something faster: 0 to 5; 3 is TensorRT's own default."""
    tf32: bool = True
    """Let float multiplications round their inputs to TF32 (10 bits), as TensorRT does itself."""
    memory_pools: Pools = {}
    """Limits of the memory pools beside the workspace; TensorRT's own where none is given."""
    sparse_weights: bool = False
    """Look for kernels that skip zeros in weights pruned 2:4; numbers may differ in last bits."""
    max_aux_streams: Annotated[int, Field(ge=0)] | None = None
    """How many more CUDA streams a network may use; TensorRT decides where none is given."""
    tiling: Literal["none", "fast", "moderate", "full"] = "none"
    """How hard the builder looks for layers to compute in tiles that stay in the L2 cache."""
    preview_features: tuple[
        Literal["aliased_plugin_io_10_03", "runtime_activation_resize_10_10"], ...
    ] = ()
    """Features that are not yet TensorRT's default; with any given, all others are switched off."""
    profiling_verbosity: Literal["detailed", "layer_names_only", "none"] = "detailed"
    """What an engine says of itself; with less than `detailed`, what it delivers is not known."""
    timeout_seconds: Annotated[float, LOCATION, Field(gt=0)] | None = None
    """After how many seconds a build is ended as failed; it changes no result, only patience."""
    plugins: tuple[Annotated[Location, Field(min_length=1)], ...] = ()
    """Shared libraries with plugins, loaded before the model is read; their digests count."""
    io_formats: dict[
        NonEmpty,
        Annotated[tuple[TensorFormat, ...], Field(min_length=1)],
    ] = {}
    """Layouts that an input or output may have in memory, by its name; `linear` otherwise."""
    runtime: Annotated[RuntimeOptions, LOCATION] = RuntimeOptions()
    """How the engine is run; nothing is built anew where that changes, and no lock holds it."""


class GpuTrtOptions(TrtOptions):
    """What a TensorRT can be told that times its kernels on the GPU it builds for, or on a DLA."""

    flavour: ClassVar[Flavour]

    gpu: Annotated[str, Field(pattern=r"^(sm_)?[0-9]{1,2}\.?[0-9]$")] | None = None
    """Compute capability of the GPU to build on and for (`sm_90` or `9.0`): elsewhere the target is
    deferred. Without it, the GPU of the machine that builds."""
    workspace: SizeOrAuto | None = None
    """Most memory a layer may use while it runs (`4GiB`); `auto` is the GPU's less an eighth, and
    the report says how much of it was needed. Without it, all of the GPU's."""
    dla_core: Annotated[int, Field(ge=0)] | None = None
    """The deep-learning accelerator to build for, by number; it computes in INT8 and FP16 alone."""
    gpu_fallback: bool = False
    """Let the GPU compute the layers that the DLA cannot."""
    memory_pools: GpuPools = {}  # type: ignore[assignment]  # a DLA has some of its own
    """Limits of the memory pools beside the workspace; TensorRT's own where none is given."""
    io_formats: GpuFormats = {}  # type: ignore[assignment]  # as above
    """Layouts that an input or output may have in memory, by its name; `linear` otherwise."""
    tactic_sources: tuple[Literal["edge_mask_convolutions", "jit_convolutions"], ...] | None = None
    """The libraries of kernels to choose from, and no others; TensorRT's own choice without it."""
    timing_cache: Annotated[Location, Field(min_length=1)] = MANAGED
    """The file of a timing cache, which a build reads (a new one is placed beside the engine); or
    `managed`: that of the target's last build, kept in the store."""
    frozen: bool = False
    """Time nothing: a kernel that the timing cache lacks is an error, no kernel is compiled from a
    cache of the driver, and the timing cache must be the same after the build."""
    hardware_compatibility: Literal["none", "ampere_plus", "same_compute_capability"] = "none"
    """Other GPUs that the engine shall run on: some speed is lost by it."""
    version_compatible: bool = False
    """Make an engine that newer versions of TensorRT run too."""
    exclude_lean_runtime: bool = False
    """Leave the lean runtime out of a version-compatible engine; whoever runs it brings one."""
    refit: Literal["none", "all", "identical"] = "none"
    """Weights that can be replaced later (`trtbuild refit`): all; or all, by the same ones."""
    strip_plan: bool = False
    """Leave the weights out of the engine; they are put back by a refit."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.frozen and self.timing_cache == MANAGED:
            raise ValueError(
                "`frozen` needs the file of a timing cache: build without `frozen`, then name the "
                "one that lies beside the engine (`timing_cache: FILE`)"
            )
        if self.exclude_lean_runtime and not self.version_compatible:
            raise ValueError(
                "`exclude_lean_runtime` is for engines with `version_compatible: true`"
            )
        if self.strip_plan and self.refit == "none":
            raise ValueError("`strip_plan` needs `refit: all` or `refit: identical`")
        pools = [name for name in self.memory_pools if name.startswith("dla_")]
        if self.dla_core is None and pools:
            raise ValueError(f"`{pools[0]}` is memory of a DLA, and there is no `dla_core`")
        if self.dla_core is None and self.gpu_fallback:
            raise ValueError("`gpu_fallback` is for targets with a `dla_core`")
        return self

    def guarantee(self, inputs: Sequence[TensorSpec]) -> Guarantee:  # noqa: ARG002  # any will do
        """Promise the same tactics where none may be timed."""
        if self.frozen:
            return Guarantee(1, "every kernel comes from the timing cache; on the same GPU alone")
        return Guarantee(
            0,
            "kernels are timed anew, and another one may win; name a `timing_cache` and set "
            "`frozen: true` for level 1",
        )

    @classmethod
    def judge_fit(cls, engine: BuiltEngine, facts: Mapping[str, str]) -> Fit:
        """Hold the version in its header, and the GPU of its engine.json, against a machine."""
        from trtbuild.backends.tensorrt.fit import judge_by_gpu

        return judge_by_gpu(cls.flavour, engine, facts)

    def gpu_need(self) -> GpuNeed:
        """Need the GPU alone: kernels that are timed beside other work are timed wrongly."""
        return GpuNeed(
            capability="" if self.gpu is None else parse_capability(self.gpu), alone=True
        )

    def built_for(self) -> tuple[str, ...]:
        """Name the compute capability an engine of this target is for, if the recipe says it."""
        return (ANY_GPU if self.gpu is None else parse_capability(self.gpu),)


def parse_capability(text: str) -> str:
    """Return 9.0 for `sm_90`, `90` and `9.0`."""
    digits = text.removeprefix("sm_").replace(".", "")
    return f"{digits[:-1]}.{digits[-1]}"
