"""What to use instead of an option, or of a word, that another flavour of TensorRT has."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["IN_10", "IN_11", "IN_RTX"]

_ALL = {
    "int8": "a target asks for no INT8: a `quantization` does, for all of them",
    "fp8": "a target asks for no FP8: `quantization: {type: fp8}` does, for all of them",
    "calibration_cache": "use `quantization: {calibrator: {kind: cache, path: FILE}}`",
}
_TYPES = (
    "TensorRT computes in the model's own types here: use `precision: {type}` or `quantization: "
    "{{high_precision: {type}}}`, or `kind: tensorrt10`"
)
_NO_DLA = "a DLA is for `kind: tensorrt11` or `kind: tensorrt10`"
_STRONG = {
    "fp16": _TYPES.format(type="fp16"),
    "bf16": _TYPES.format(type="bf16"),
    "io_types": "inputs and outputs have the model's types here: change them there, or use "
    "`kind: tensorrt10` with `fp16: true`",
    "precision_constraints": "here a node stays float where it has no Q/DQ pairs: use "
    "`quantization: {skip: [...]}`; constraints are for `kind: tensorrt10`",
    "ranges_as": "ranges become Q/DQ pairs here: remove it, or use `kind: tensorrt10`",
    "profile_sharing_0806": "only TensorRT 10 has that switch: leave it out",
    "multidevice_runtime_10_16": "only TensorRT 10 has that switch: leave it out",
}
_ONE_GPU = (
    "an engine is for the GPU that builds it: use `gpu`, or `hardware_compatibility` for more"
)
_ONE_VERSION = "a plan runs under the TensorRT-RTX that built it alone: build one for each version"
_NOTHING_TIMED = (
    "TensorRT-RTX times nothing while it compiles, so there is nothing to keep: remove it"
)
_NEEDS_GPU = "TensorRT-RTX can do that on a GPU alone, and compiles without one: use "
_NEEDS_GPU += "`kind: tensorrt11`"
_GONE = "TensorRT 11 has no such kernels any more: leave it out, or use `kind: tensorrt10`"
_WORKSPACE = "`workspace` is an option of its own, beside `memory_pools`"

IN_10: Mapping[str, str] = {
    **_ALL,
    "compute_capabilities": _ONE_GPU,
    "workspace": _WORKSPACE,
}
IN_11: Mapping[str, str] = {
    **_ALL,
    **_STRONG,
    "compute_capabilities": _ONE_GPU,
    "workspace": _WORKSPACE,
    "cublas": _GONE,
    "cublas_lt": _GONE,
    "cudnn": _GONE,
}
IN_RTX: Mapping[str, str] = {
    **_ALL,
    **_STRONG,
    "dla_core": _NO_DLA,
    "gpu_fallback": _NO_DLA,
    "dla_managed_sram": _NO_DLA,
    "dla_local_dram": _NO_DLA,
    "dla_global_dram": _NO_DLA,
    "dla_linear": _NO_DLA,
    "dla_hwc4": _NO_DLA,
    "workspace": _WORKSPACE,
    "gpu": "use `compute_capabilities`: one engine serves all that are listed",
    "hardware_compatibility": "use `compute_capabilities`: one engine serves all that are listed",
    "version_compatible": _ONE_VERSION,
    "exclude_lean_runtime": _ONE_VERSION,
    "timing_cache": _NOTHING_TIMED,
    "frozen": _NOTHING_TIMED,
    "refit": _NEEDS_GPU,
    "strip_plan": _NEEDS_GPU,
    "tactic_sources": "TensorRT-RTX has kernels of one source alone: remove it",
}
