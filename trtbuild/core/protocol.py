"""The protocol by which `trtbuild bench` times calls: written into every result."""

from typing import Annotated

from pydantic import Field

from trtbuild.core.digest import digest_of_tree
from trtbuild.core.options import Options

__all__ = ["METHOD", "Protocol", "digest_of_protocol"]

METHOD = 1
"""Of the code that measures: it moves when numbers under the same protocol mean something else."""


class Protocol(Options):
    """How calls are timed. Figures are held against each other under equal protocols alone."""

    seconds: Annotated[float, Field(gt=0, le=3600)] = 2.0
    """How long each variant is timed at each shape, in all."""
    iterations: Annotated[int, Field(ge=16, le=10_000_000)] | None = None
    """So many calls instead, rounded up to whole blocks."""
    rounds: Annotated[int, Field(ge=8, le=1000)] = 24
    """In so many blocks of calls: in each round every variant has one, in an order that is drawn,
    so that what changes on the machine meanwhile meets all alike."""
    settle: Annotated[int, Field(ge=0, le=1000)] = 2
    """Calls at the head of each block that are not counted: they find the caches as another variant
    left them."""
    warmup_seconds: Annotated[float, Field(ge=0, le=3600)] = 5.0
    """Warm up until three windows of calls in a row agree within 3 %, and no longer than this."""
    streams: Annotated[tuple[Annotated[int, Field(ge=1, le=256)], ...], Field(min_length=1)] = (1,)
    """How many callers at once to measure the throughput of, each with a stream, or thread, and
    memory of its own (`[1, 4]`). Latency is that of one caller."""
    cuda_graphs: bool = False
    """Whether what runs on a GPU is recorded once as a CUDA graph and launched as one."""
    threads: Annotated[int, Field(ge=0, le=4096)] = 0
    """Processor threads that compute one operator; 0 is as many as the process may use."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """What inputs are drawn from where no data gives them, and the order of blocks."""


def digest_of_protocol(protocol: Protocol) -> str:
    """Return what two results have in common that may be held against each other."""
    return digest_of_tree([METHOD, protocol.model_dump(mode="json")])
