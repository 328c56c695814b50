"""Execution providers: on what ONNX Runtime computes, and with which settings."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping, Sequence

__all__ = ["CPU", "CUDA", "Providers", "choose_providers", "list_names", "make_cuda", "prepare"]

CUDA = "CUDAExecutionProvider"
_CPU = "CPUExecutionProvider"
_ERRORS = 3
"""The severity from which ONNX Runtime logs: it warns of plugins that nobody asked for."""
Providers = Sequence[str | tuple[str, Mapping[str, str]]]
"""The first choice first; a name, or a name with its options."""

CPU: Providers = (_CPU,)
"""Where sessions compute unless told otherwise: the same numbers on every machine of a kind."""
_OPTIONS = {
    # FP32 is FP32: with TF32, convolutions and products would keep 10 bits of their factors.
    "use_tf32": "0",
    # The usual search times all algorithms, and what it takes may differ from run to run.
    "cudnn_conv_algo_search": "HEURISTIC",
    # What is asked for, and not the next power of two: others share the memory.
    "arena_extend_strategy": "kSameAsRequested",
}


def make_cuda(index: int = 0, *, stream: int = 0) -> Providers:
    """Return the CUDA provider on the GPU of an index, of those that this process sees.

    `stream` is the handle of a CUDA stream that it shall work in; 0 for one of its own. What CUDA
    lacks, the CPU computes: ONNX Runtime says so of single operators, in its own way.
    """
    options = {"device_id": str(index), **_OPTIONS}
    if stream:
        options |= {"user_compute_stream": str(stream), "do_copy_in_default_stream": "1"}
    return ((CUDA, options), _CPU)


def choose_providers(fact: str, *, index: int = 0) -> Providers:
    """Return the providers that an inference device's fact stands for; without one, the CPU."""
    return make_cuda(index) if fact else CPU


def list_names(providers: Providers) -> list[str]:
    """Name the providers."""
    return [each if isinstance(each, str) else each[0] for each in providers]


def prepare(providers: Providers) -> None:
    """Load the libraries of CUDA that lie in other packages, where they are needed.

    ONNX Runtime finds those beside PyTorch, or in NVIDIA's own wheels; what it says of those that
    it lacks goes to standard error.
    """
    import onnxruntime as ort

    if CUDA not in list_names(providers):
        return
    ort.set_default_logger_severity(_ERRORS)
    if hasattr(ort, "preload_dlls"):
        with contextlib.redirect_stdout(sys.stderr):
            ort.preload_dlls()
