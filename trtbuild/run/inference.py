"""Where an executor of this machine has ONNX Runtime compute, until a GPU's memory is full."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, TypeVar, runtime_checkable

from trtbuild.core.devices import Where
from trtbuild.core.errors import StepFailed
from trtbuild.machine.facts import InstalledPackages

if TYPE_CHECKING:  # a plan asks for places alone
    from trtbuild.run.executor import CallResult, Executor, Listener

__all__ = ["Inference", "LeavesGpu", "leaving_gpu"]

Value = TypeVar("Value")
_HINT = "end what holds the rest, which `nvidia-smi` shows, or take `--device cpu` at once"


@runtime_checkable
class LeavesGpu(Protocol):
    """An executor that may have models computed on the CPU instead."""

    def leave_gpu(self, step: str) -> str:
        """Do so from here on, where that step ended since a GPU's memory was full; say that.

        Nothing where it ended otherwise, or where the GPU is what was asked for.
        """


class Inference:
    """What is installed here, and what ONNX Runtime computes on."""

    def __init__(self, where: Where, *, device: int = 0, batch: int | None = None) -> None:
        """Take where it shall compute, the GPU's index, and at most how many samples at a time."""
        self._where: Where = where
        self._device = device
        self._batch = batch
        self._full: set[str] = set()

    @cached_property
    def here(self) -> InstalledPackages:
        """The facts of this machine."""
        return InstalledPackages(device=self._device, inference=self._where, batch=self._batch)

    def hear(self, end: CallResult) -> None:
        """Remember a step that ended since the GPU's memory was full."""
        if end.gpu_full:
            self._full.add(end.name)

    def leave_gpu(self, step: str) -> str:
        """Compute on the CPU from here on: see `LeavesGpu`."""
        if self._where == "cuda" or step not in self._full:
            return ""
        self._full.remove(step)
        name = step.rpartition("/")[2]  # of several walks at once, each has a number
        told = f"the GPU's memory was full in {name}: ONNX Runtime computes on the CPU"
        if self._where == "auto":  # and not left already, for another walk
            self._where = "cpu"
            self.here = InstalledPackages(device=self._device, batch=self._batch)
            self.here.doubts.append(f"{told} (hint: {_HINT})")
        return told


def leaving_gpu(executor: Executor, listener: Listener, work: Callable[[], Value]) -> Value:
    """Work; where a step ended since a GPU's memory was full, once more from the start, on the CPU.

    What rests on no device is done already, and is found in the store. Figures of two devices are
    not mixed: what was computed on the GPU is computed anew.

    Raises:
        StepFailed: a step failed for another reason, or the GPU is what was asked for.
    """
    try:
        return work()
    except StepFailed as error:
        told = executor.leave_gpu(error.step) if isinstance(executor, LeavesGpu) else ""
        if not told:
            raise
        listener.moved(told)
    return work()
