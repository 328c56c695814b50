"""A calibration shared out over workers, where that pays; merged, it makes the same bytes."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from trtbuild.run.executor import Call, CallResult, StepProgress
from trtbuild.steps.base import Context
from trtbuild.steps.calibrate import SHARE, Calibrate
from trtbuild.steps.count_values import CountValues

__all__ = ["Shared", "pays", "share_out"]

AGAIN_SECONDS = 15.0
"""What starting anew costs at most: a worker, its libraries, opening the model."""
LEAST_SAMPLES = 2
"""From so many on, it is known how long one takes."""
MARK = "#share"


@dataclass
class Shared:
    """A calibration that several workers do their share of."""

    call: Call
    parts: list[Call]
    total: int
    begin: float
    done: dict[str, int] = field(default_factory=dict)
    ended: list[str] = field(default_factory=list)
    failed: bool = False

    def progressed(self, told: StepProgress) -> StepProgress:
        """Return how far all are together."""
        self.done[told.name] = told.done
        done = sum(self.done.values())
        return told.model_copy(update={"name": self.call.name, "done": done, "total": self.total})

    def end(self, told: CallResult) -> Call | None:
        """Take the end of a share; return the call that is left to do when it was the last.

        That is the calibration itself: on what was counted, or on the data where a share failed,
        so that what is wrong is said as it is without shares.
        """
        self.ended.append(told.name)
        self.failed |= bool(told.message)
        if len(self.ended) < len(self.parts):
            return None
        if self.failed:
            return self.call
        counts = {
            f"{SHARE}{number:04}": str(Path(part.out) / "counts.npz")
            for number, part in enumerate(self.parts)
        }
        return self.call.model_copy(update={"inputs": {**self.call.inputs, **counts}})


def pays(call: Call, told: StepProgress, seconds: float, workers: int) -> bool:
    """Tell whether a running calibration is done sooner when workers begin it anew together.

    By how long its samples took so far: what is left, on one, against all of it, on all of them.
    """
    if not isinstance(call.step, Calibrate) or any(SHARE in name for name in call.inputs):
        return False
    if workers < 2 or not LEAST_SAMPLES <= told.done < told.total:  # noqa: PLR2004
        return False
    each = seconds / told.done
    alone = each * (told.total - told.done)
    return each * told.total / workers + AGAIN_SECONDS < alone and _may(call.step, call)


def _may(step: Calibrate, call: Call) -> bool:
    inputs = {name: Path(path) for name, path in call.inputs.items()}
    return step.can_be_shared(Context(inputs=inputs, out=Path(call.out)))


def share_out(call: Call, total: int, workers: int) -> Shared:
    """Return a calibration in as many shares as there are workers, each with a directory."""
    step = call.step
    assert isinstance(step, Calibrate)  # noqa: S101  # nothing else pays
    parts = []
    for number in range(workers):
        folder = Path(call.out).parent / f"share-{number}"
        (folder / "out").mkdir(parents=True, exist_ok=True)
        part = CountValues(of=step, share=number, shares=workers)
        update = {
            "name": f"{call.name}{MARK}{number}",
            "step": part,
            "out": str(folder / "out"),
            "log": str(folder / "log.txt"),
        }
        parts.append(call.model_copy(update=update))
    return Shared(call, parts, total, time.perf_counter())
