"""TensorRT-RTX: engines compiled ahead of time, without a GPU."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, field_validator

from trtbuild.backends.base import (
    BuildOrder,
    BuildResult,
    BuiltEngine,
    Capabilities,
    Fit,
    Guarantee,
)
from trtbuild.backends.tensorrt.flavour import RTX, Flavour
from trtbuild.backends.tensorrt.options import TrtOptions
from trtbuild.backends.tensorrt.replacements import IN_RTX
from trtbuild.backends.tensorrt.runtime_options import RtxRuntimeOptions
from trtbuild.core.needs import Needs
from trtbuild.core.options import AUTO, LOCATION, SizeOrAuto
from trtbuild.core.values import TensorSpec

if TYPE_CHECKING:
    from trtbuild.backends.tensorrt.settings import Settings

__all__ = ["TensorrtRtx"]

KNOWN = (7.5, 8.0, 8.6, 8.9, 12.0, 12.1)
GIBIBYTE = 2**30


def _compiled_for(value: float) -> float:
    if value not in KNOWN:
        from trtbuild.backends.tensorrt.gpu_names import find_capability

        known = ", ".join(map(str, KNOWN))
        meant = value / 10 if value / 10 in KNOWN else find_capability(f"{value:g}")
        move = f"; write {meant}" if meant in KNOWN else ""
        raise ValueError(
            f"TensorRT-RTX 1.7 does not compile for {value}; it does for {known}{move}"
        )
    return value


_Capability = Annotated[float, AfterValidator(_compiled_for)]


class TensorrtRtx(TrtOptions):
    """TensorRT-RTX engines for the compute capabilities listed; built without a GPU."""

    flavour: ClassVar[Flavour] = RTX
    instead: ClassVar[Mapping[str, str]] = IN_RTX
    capabilities: ClassVar[Capabilities] = Capabilities(
        modes=("explicit",),
        native_calibrators=(),
        typing=("strong",),
        runs_without_gpu=True,
        packages=("tensorrt_rtx_cu13_bindings", "tensorrt_rtx_cu13_libs", "polygraphy"),
        install=RTX.install,
    )

    kind: Literal["tensorrt_rtx"]
    compute_capabilities: Annotated[tuple[_Capability, ...], Field(min_length=1)] = (8.6, 8.9, 12.0)
    """GPUs that one engine serves: 7.5 (no INT8 for any GPU then), 8.0, 8.6, 8.9, 12.0, 12.1."""
    workspace: SizeOrAuto = 64 * GIBIBYTE
    """Most memory a layer may use while it runs; fixed, so that no machine's GPU changes it. `auto`
    is that of a target without it, since no GPU is asked."""
    runtime: Annotated[RtxRuntimeOptions, LOCATION] = RtxRuntimeOptions()
    """How the engine is run; nothing is built anew where that changes, and no lock holds it."""

    @field_validator("compute_capabilities")
    @classmethod
    def _once(cls, listed: tuple[float, ...]) -> tuple[float, ...]:
        if len(set(listed)) != len(listed):
            raise ValueError("a compute capability is listed twice")
        return tuple(sorted(listed))  # the order means nothing, so it changes nothing

    @field_validator("workspace")
    @classmethod
    def _fixed(cls, given: int | str) -> int:
        return 64 * GIBIBYTE if given == AUTO else int(given)

    def built_for(self) -> tuple[str, ...]:
        """Name the compute capabilities an engine of this target is for."""
        return tuple(str(capability) for capability in self.compute_capabilities)

    @classmethod
    def judge_fit(cls, engine: BuiltEngine, facts: Mapping[str, str]) -> Fit:
        """Hold the compute capabilities and the version in its header against a machine."""
        from trtbuild.backends.tensorrt.fit import judge_by_capability

        return judge_by_capability(cls.flavour, engine, facts)

    def needs(self) -> Needs:
        """Need no GPU: nothing is timed."""
        return Needs(kind=self.kind, limit_seconds=self.timeout_seconds)

    def guarantee(self, inputs: Sequence[TensorSpec]) -> Guarantee:
        """Promise the same bytes for fixed shapes, and the same program for dynamic ones."""
        if any(isinstance(size, str) for spec in inputs for size in spec.shape):
            return Guarantee(
                1, "with dynamic shapes, names within the plan are numbered by memory addresses"
            )
        return Guarantee(2, "nothing is timed, and all shapes are fixed")

    def settings(self) -> "Settings":
        """Return what is set on the builder."""
        from trtbuild.backends.tensorrt.settings import make_settings

        made = make_settings(self)
        made.arguments["compute_capabilities"] = [
            tuple(int(part) for part in name.split(".")) for name in self.built_for()
        ]
        return made

    def build(self, order: BuildOrder) -> BuildResult:
        """Build as `Backend.build` says."""
        from trtbuild.backends.model import OnnxModel
        from trtbuild.backends.tensorrt.build import (
            BuildJob,
            check_model,
            check_names,
            compile_engine,
        )
        from trtbuild.backends.tensorrt.rtx_plan import read_kernels
        from trtbuild.backends.tensorrt.rtx_precision import report_delivered_by_rtx
        from trtbuild.backends.tensorrt.settings import describe_settings
        from trtbuild.backends.tensorrt.tactics import digest_program

        read = OnnxModel.read(order.model)
        check_model(read, order.profiles, order.values)
        check_names(read, self.io_formats, "io_formats")
        settings = self.settings()
        job = BuildJob(RTX, order, settings, io_formats=self.io_formats, times=False)
        warnings = compile_engine(job)
        kernels = read_kernels(order.engine)
        return BuildResult(
            inputs=read.inputs,
            outputs=read.outputs,
            options=describe_settings(settings, {}),
            layers=report_delivered_by_rtx(
                order.requested, kernels, model=read, built_for=self.built_for()
            ),
            notes=tuple(warnings),
            tactics=digest_program(order.engine),
        )
