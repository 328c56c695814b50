"""Builds on a GPU, which TensorRT 10 and 11 have in common: compiled, then read back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trtbuild.backends.base import BuildResult
from trtbuild.backends.tensorrt.build import BuildJob, check_model, check_names, compile_engine
from trtbuild.backends.tensorrt.flavour import load_tensorrt
from trtbuild.backends.tensorrt.inspector import (
    read_back,
    read_layers,
    report_delivered_by_inspector,
)
from trtbuild.backends.tensorrt.settings import describe_settings
from trtbuild.backends.tensorrt.shared import capture_log
from trtbuild.backends.tensorrt.tactics import digest_inspected_layers
from trtbuild.core.engine_memory import EngineMemory

if TYPE_CHECKING:
    from trtbuild.backends.tensorrt.options import GpuTrtOptions

__all__ = ["build_on_gpu"]


def build_on_gpu(job: BuildJob, options: GpuTrtOptions) -> BuildResult:
    """Build an engine on this machine's GPU, and have the inspector say what was delivered.

    Raises:
        StepInputError: the builder refused the model; quotes its messages.
        MissingDependency: that TensorRT is not installed.
        NoGpu: there is no GPU for it.
    """
    from trtbuild.backends.model import OnnxModel

    read = OnnxModel.read(job.order.model)
    check_model(read, job.order.profiles, job.order.values)
    check_names(read, job.io_formats, "io_formats")
    check_names(read, job.io_types, "io_types")
    job.frozen = options.frozen
    warnings = compile_engine(job)
    why_not = "the engine tells what it delivers only with `profiling_verbosity: detailed`"
    text, memory, lost = _read_back(job)
    layers, tactics = None, ""
    if options.profiling_verbosity == "detailed":
        layers, tactics = read_layers(text), digest_inspected_layers(text)
        why_not = lost or "the inspector's JSON has no layers that can be read"
    words = {name: "on" if on else "off" for name, on in job.network.items()}
    return BuildResult(
        inputs=read.inputs,
        outputs=read.outputs,
        options=describe_settings(job.settings, words),
        layers=report_delivered_by_inspector(job.order.requested, layers, why_not=why_not),
        notes=tuple(warnings),
        tactics=tactics,
        memory=memory,
    )


def _read_back(job: BuildJob) -> tuple[str, EngineMemory | None, str]:
    """Return what the engine says of its layers and its memory; or why it cannot be asked."""
    from polygraphy.exception import PolygraphyException

    with capture_log(job.order.log_level) as log:
        try:
            trt = load_tensorrt(job.flavour)
            return *read_back(trt, job.order.engine, job.order.plugins), ""
        except PolygraphyException as error:
            said = log.errors[0] if log.errors else str(error)
            return "", None, f"the engine cannot be read back here: {' '.join(said.split())}"
