"""What to set on a builder, as values, with enum members by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trtbuild.backends.tensorrt.options import GpuTrtOptions, TrtOptions
from trtbuild.backends.tensorrt.scratch import leave_margin
from trtbuild.core.options import AUTO

__all__ = [
    "DLA_CORE",
    "Member",
    "Settings",
    "describe_settings",
    "make_settings",
    "resolve_members",
]

PREVIEW, DLA_CORE = "PreviewFeature", "DLA_core"


@dataclass(frozen=True)
class Member:
    """A member of one of TensorRT's enums, by name: the numbers differ between versions."""

    enum: str
    name: str

    def __repr__(self) -> str:
        return f"trt.{self.enum}.{self.name}"


def resolve_members(value: Any, trt: Any) -> Any:
    """Replace the members in a value by those of a TensorRT that is loaded."""
    if isinstance(value, Member):
        return getattr(getattr(trt, value.enum), value.name)
    if isinstance(value, Mapping):
        return {
            resolve_members(key, trt): resolve_members(each, trt) for key, each in value.items()
        }
    if isinstance(value, list):
        return [resolve_members(each, trt) for each in value]
    return value


@dataclass
class Settings:
    """All that a config is told."""

    arguments: dict[str, Any] = field(default_factory=dict)
    """Of Polygraphy's CreateConfig."""
    flags: dict[str, bool] = field(default_factory=dict)
    """BuilderFlags set or cleared after that."""
    attributes: dict[str, Any] = field(default_factory=dict)
    """Of the config, set after that."""
    workspace: int | None = None
    """The limit on scratch memory that is asked for; with `auto`, once it is known."""
    auto: bool = False
    """That limit is what the GPU has, less a margin."""
    device_bytes: int = 0
    """What the GPU has, where that was asked."""

    def apply(self, config: Any, trt: Any) -> None:
        """Set on a config what CreateConfig has no argument for."""
        for name, on in self.flags.items():
            flag = getattr(trt.BuilderFlag, name)
            (config.set_flag if on else config.clear_flag)(flag)
        for name, value in self.attributes.items():
            setattr(config, name, resolve_members(value, trt))
        if self.auto:
            pool = trt.MemoryPoolType.WORKSPACE
            self.device_bytes = config.get_memory_pool_limit(pool)  # where none is set: all
            self.workspace = leave_margin(self.device_bytes)
            config.set_memory_pool_limit(pool, self.workspace)


def make_settings(options: TrtOptions) -> Settings:
    """Return what the options shared by all flavours set; nothing is left to Polygraphy."""
    pools: dict[str, int] = dict(options.memory_pools.items())
    workspace = getattr(options, "workspace", None)
    made = Settings(auto=workspace == AUTO)
    if isinstance(workspace, int):
        made.workspace = workspace
        pools = {"workspace": workspace, **pools}
    made.arguments = {
        "memory_pool_limits": {_member("MemoryPoolType", name): n for name, n in pools.items()},
        "builder_optimization_level": options.builder_optimization_level,
        # It names the ONNX nodes in the engine, by which it is read back; and another verbosity
        # gives other bytes.
        "profiling_verbosity": _member("ProfilingVerbosity", options.profiling_verbosity),
        "sparse_weights": options.sparse_weights,
    }
    if options.preview_features:
        features = [_member(PREVIEW, name) for name in options.preview_features]
        made.arguments["preview_features"] = features
    if options.max_aux_streams is not None:
        made.arguments["max_aux_streams"] = options.max_aux_streams
    if options.tiling != "none":
        made.arguments["tiling_optimization_level"] = _member(
            "TilingOptimizationLevel", options.tiling
        )
    made.flags["TF32"] = options.tf32  # Polygraphy's own default differs between flavours
    if isinstance(options, GpuTrtOptions):
        _add_timed(options, made)
    return made


def _add_timed(options: GpuTrtOptions, made: Settings) -> None:
    if options.tactic_sources is not None:
        sources = [_member("TacticSource", name) for name in options.tactic_sources]
        made.arguments["tactic_sources"] = sources
    if options.hardware_compatibility != "none":
        made.arguments["hardware_compatibility_level"] = _member(
            "HardwareCompatibilityLevel", options.hardware_compatibility
        )
    for name in ("version_compatible", "exclude_lean_runtime", "strip_plan"):
        if getattr(options, name):
            made.arguments[name] = True
    if options.refit == "all":
        made.arguments["refittable"] = True
    elif options.refit == "identical":
        made.flags["REFIT_IDENTICAL"] = True
    if options.dla_core is not None:
        made.arguments["use_dla"] = True
        made.arguments["allow_gpu_fallback"] = options.gpu_fallback
        made.attributes[DLA_CORE] = options.dla_core  # Polygraphy always takes core 0
    if options.frozen:
        made.arguments["error_on_timing_cache_miss"] = True
        made.arguments["disable_compilation_cache"] = True


def _member(enum: str, name: str) -> Member:
    return Member(enum, name.upper())


def describe_settings(settings: Settings, network: Mapping[str, str]) -> dict[str, str]:
    """Say what was set, in words: flags by name, pools in bytes."""
    told: dict[str, str] = {}
    for name, value in settings.arguments.items():
        if name == "memory_pool_limits":
            told |= {f"{pool.name.lower()}_bytes": str(size) for pool, size in value.items()}
        else:
            told[name] = _describe_value(value)
    told |= {name.lower(): _describe_value(on) for name, on in settings.flags.items()}
    told |= {name.lower(): _describe_value(value) for name, value in settings.attributes.items()}
    if settings.auto:
        told["workspace_bytes"] = str(settings.workspace)
    return dict(sorted({**told, **network}.items()))


def _describe_value(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return ", ".join(_describe_value(each) for each in value) or "none"
    return value.name if isinstance(value, Member) else str(value)
