"""TensorRT-RTX: engines compiled ahead of time, without a GPU."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator

from trtbuild.backends.base import Asked, Built, Capabilities, Profile, Progress
from trtbuild.core.errors import MissingDependency, StepInputError
from trtbuild.core.options import ByteSize, Options

if TYPE_CHECKING:
    from trtbuild.backends.model import Model

__all__ = ["TensorrtRtx"]

NAME = "TensorRT-RTX"
KNOWN = (7.5, 8.0, 8.6, 8.9, 12.0, 12.1)
GIBIBYTE = 2**30


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
    """GPUs that one engine serves: 7.5 (no INT8 for any GPU then), 8.0, 8.6, 8.9, 12.0, 12.1."""
    workspace: Annotated[ByteSize, Field(gt=0)] = 64 * GIBIBYTE
    """Most memory a layer may use while it runs; fixed, so that no machine's GPU changes it."""
    builder_optimization_level: Annotated[int, Field(ge=0, le=5)] = 3
    """How long the builder looks for something faster: 0 to 5; 3 is TensorRT's own default."""
    tf32: bool = True
    """Let float multiplications round their inputs to TF32 (10 bits), as TensorRT does itself."""

    @field_validator("compute_capabilities")
    @classmethod
    def _known(cls, listed: tuple[float, ...]) -> tuple[float, ...]:
        for each in listed:
            if each not in KNOWN:
                known = ", ".join(str(capability) for capability in KNOWN)
                raise ValueError(
                    f"TensorRT-RTX 1.7 does not compile for {each}; it does for {known}"
                )
        if len(set(listed)) != len(listed):
            raise ValueError("a compute capability is listed twice")
        return tuple(sorted(listed))  # the order means nothing, so it changes nothing

    def built_for(self) -> tuple[str, ...]:
        """Name the compute capabilities an engine of this target is for."""
        return tuple(str(capability) for capability in self.compute_capabilities)

    def build(
        self,
        model: Path,
        engine: Path,
        *,
        profiles: Sequence[Profile],
        asked: Sequence[Asked],
        progress: Progress,
    ) -> Built:
        """Build `model` (ONNX) into `engine`, and read back what was delivered.

        Raises:
            StepInputError: the builder refused the model; quotes its messages.
            MissingDependency: TensorRT-RTX is not installed.
        """
        from trtbuild.backends.delivered import delivered_by_rtx
        from trtbuild.backends.model import Model
        from trtbuild.backends.rtx_plan import kernels_of

        read = Model.read(model)
        _check(read, profiles)
        warnings = self._compile(model, engine, profiles, progress)
        layers = delivered_by_rtx(asked, kernels_of(engine), model=read, built_for=self.built_for())
        return Built(
            inputs=read.inputs,
            outputs=read.outputs,
            options={
                "workspace_bytes": str(self.workspace),
                "builder_optimization_level": str(self.builder_optimization_level),
                "tf32": "on" if self.tf32 else "off",
                "profiling_verbosity": "DETAILED",
            },
            layers=layers,
            notes=tuple(warnings),
        )

    def _compile(
        self, model: Path, engine: Path, profiles: Sequence[Profile], progress: Progress
    ) -> list[str]:
        """Write the engine; return the builder's warnings."""
        trt = _tensorrt_rtx()
        from polygraphy.backend.trt import NetworkFromOnnxPath, engine_bytes_from_network
        from polygraphy.exception import PolygraphyException

        from trtbuild.backends._trt import listening, progress_monitor, refusal

        monitor = progress_monitor(trt.IProgressMonitor, progress)
        with listening() as log:
            try:
                plan = engine_bytes_from_network(
                    NetworkFromOnnxPath(str(model)),
                    config=self._config(trt, profiles, monitor),
                )
            except PolygraphyException as error:
                if monitor.failure is not None:
                    raise monitor.failure from None
                raise refusal(NAME, log, str(error)) from None
        engine.write_bytes(memoryview(plan))
        return log.warnings

    def _config(self, trt: Any, profiles: Sequence[Profile], monitor: Any) -> Any:
        """Return a function that makes the IBuilderConfig; nothing is left to a default."""
        from polygraphy.backend.tensorrt_rtx import CreateConfigRTX

        create = CreateConfigRTX(
            compute_capabilities=[
                tuple(int(part) for part in name.split(".")) for name in self.built_for()
            ],
            profiles=[_shapes(profile) for profile in profiles] or None,
            memory_pool_limits={trt.MemoryPoolType.WORKSPACE: self.workspace},
            builder_optimization_level=self.builder_optimization_level,
            # It names the ONNX nodes in the plan, by which the plan is read back; and another
            # verbosity gives other bytes.
            profiling_verbosity=trt.ProfilingVerbosity.DETAILED,
            progress_monitor=monitor,
        )

        def config(builder: Any, network: Any) -> Any:
            made = create(builder, network)
            (made.set_flag if self.tf32 else made.clear_flag)(trt.BuilderFlag.TF32)
            return made

        return config


def _shapes(profile: Profile) -> Any:
    from polygraphy.backend.trt import Profile as Shapes

    shapes = Shapes()
    for name, (low, best, high) in profile.items():
        shapes.add(name, low, best, high)
    return shapes


def _check(model: Model, profiles: Sequence[Profile]) -> None:
    from trtbuild.backends._trt import check_profiles

    check_profiles(model.inputs, profiles)
    for node in model.computed_scales():
        raise StepInputError(
            f"node `{node.name}` ({node.op_type}): its scale `{node.input[1]}` is computed while "
            "the model runs, and TensorRT wants a constant",
            hint="fold constants, or leave that tensor in float",
        )
    for node in model.unsigned():
        raise StepInputError(
            f"node `{node.name}` ({node.op_type}) is of uint8, which TensorRT takes for int8 "
            "without a word: the engine's numbers would be others",
            hint="quantize to int8, with a zero point of that type",
        )


def _tensorrt_rtx() -> Any:
    """Import TensorRT-RTX, and have Polygraphy use it.

    With the bindings alone, which is all that a build needs, there is no module `tensorrt_rtx`.

    Raises:
        MissingDependency: it is not installed, or its libraries cannot be loaded.
    """
    # Polygraphy reads these once; where a runner has imported it already, by its own attribute.
    os.environ["POLYGRAPHY_USE_TENSORRT_RTX"] = "1"
    os.environ["POLYGRAPHY_AUTOINSTALL_DEPS"] = "0"
    from polygraphy import config

    config.USE_TENSORRT_RTX = True
    config.AUTOINSTALL_DEPS = False
    try:
        try:
            import tensorrt_rtx as trt
        except ModuleNotFoundError:
            import tensorrt_rtx_bindings as trt

            sys.modules["tensorrt_rtx"] = trt
    except ImportError as error:
        raise MissingDependency(
            f"TensorRT-RTX cannot be loaded: {error}",
            hint=TensorrtRtx.capabilities.install,
        ) from None
    return trt
