"""Needs: what a step takes up where it runs."""

import os
import sys

from trtbuild.core.frozen import frozen

__all__ = [
    "GPU",
    "GPU_MEMORY",
    "INFERENCE_BATCH",
    "INFERENCE_DEVICE",
    "OPTIONAL",
    "GpuNeed",
    "Needs",
    "count_machine_bytes",
    "read_capability",
]

GPU = "gpu"
"""The fact that names the GPU of a place: `NVIDIA L4 (8.9)`."""
GPU_MEMORY = "gpu_memory"
"""The fact of how many bytes of memory it has."""
INFERENCE_DEVICE = "inference_device"
"""The fact of the GPU that ONNX Runtime computes on, and by what: `NVIDIA H200 (9.0),
CUDAExecutionProvider`. There is none where it computes on the CPU."""
INFERENCE_BATCH = "inference_batch"
"""The fact of how many samples a run takes at most on a GPU, where that is said: the
sums of other batches are rounded otherwise."""
OPTIONAL = frozenset({INFERENCE_BATCH, INFERENCE_DEVICE})
"""Facts that are no ingredient where there are none."""


@frozen
class GpuNeed:
    """A GPU that a step needs while it runs."""

    capability: str = ""
    """Its compute capability (`9.0`); empty for any."""
    alone: bool = False
    """Nothing else may run on it meanwhile: what times kernels is spoiled by company."""


@frozen
class Needs:
    """What a step needs of the place where it runs."""

    kind: str = ""
    """The kind of target under whose Python it runs; empty for any Python with trtbuild."""
    gpu: GpuNeed | None = None
    memory_bytes: int | None = None
    """Main memory; None where it is not known beforehand."""
    inference: bool = False
    """It runs models in ONNX Runtime: on a GPU, shared, where the place has one for that."""
    own_process: bool = False
    """It holds a GPU, whose memory returns with the process, or runs code that is not ours."""
    limit_seconds: float | None = None
    """After how long it is to be ended; None lets it run on."""


def read_capability(gpu: str) -> str:
    """Return the compute capability that the fact of a GPU holds."""
    return gpu.rpartition("(")[2].removesuffix(")")


def count_machine_bytes() -> int:
    """Return the machine's main memory; without end where it is not told."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return sys.maxsize
