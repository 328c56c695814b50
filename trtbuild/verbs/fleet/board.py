"""Board: one executor for several walks at once, each with a view of its own."""

from __future__ import annotations

import threading
import time
from collections import deque

from trtbuild.core.needs import Needs
from trtbuild.machine.places import Place
from trtbuild.run.executor import Call, CallResult, Executor, StepProgress
from trtbuild.run.inference import LeavesGpu

__all__ = ["Board", "Stopped", "WalkView"]

TURN_SECONDS = 0.05
"""How long one walk listens for all before another may."""


class Stopped(KeyboardInterrupt):
    """The interrupt key was pressed, which only the main thread hears."""


class Board:
    """An executor that several threads share: it is asked by one at a time."""

    def __init__(self, executor: Executor) -> None:
        self.executor = executor
        self.lock = threading.Lock()
        self.stopped = False
        self._views: list[WalkView] = []

    def view(self) -> WalkView:
        """Return an executor for one walk more."""
        made = WalkView(self, len(self._views))
        self._views.append(made)
        return made

    def listen(self, timeout_seconds: float) -> None:
        """Take the next thing that happened, and give it to whom it concerns."""
        with self.lock:
            told = self.executor.wait(min(timeout_seconds, TURN_SECONDS))
            if told is not None:
                number, _, name = told.name.partition("/")
                self._views[int(number)].told.append(told.model_copy(update={"name": name}))

    def stop(self) -> None:
        """Let every walk end at its next turn."""
        self.stopped = True


class WalkView:
    """What one walk sees of the executor; the names of its steps are its own."""

    def __init__(self, board: Board, number: int) -> None:
        self._board = board
        self._number = number
        self.told: deque[CallResult | StepProgress] = deque()

    def place(self, needs: Needs) -> Place:
        """Say where a step would run."""
        with self._board.lock:
            return self._board.executor.place(needs)

    def leave_gpu(self, step: str) -> str:
        """Have models computed on the CPU, where a step found a GPU's memory full; say that."""
        executor = self._board.executor
        with self._board.lock:
            if isinstance(executor, LeavesGpu):
                return executor.leave_gpu(f"{self._number}/{step}")
        return ""

    def has_room(self, needs: Needs) -> bool:
        """Tell whether a step may start now."""
        self._demand_going()
        with self._board.lock:
            return self._board.executor.has_room(needs)

    def start(self, call: Call) -> None:
        """Start a call under a name that no other walk has."""
        with self._board.lock:
            name = f"{self._number}/{call.name}"
            self._board.executor.start(call.model_copy(update={"name": name}))

    def wait(self, timeout_seconds: float) -> CallResult | StepProgress | None:
        """Return the next thing that happened to a step of this walk."""
        end = time.monotonic() + timeout_seconds
        while not self.told:
            self._demand_going()
            left = end - time.monotonic()
            if left <= 0:
                return None
            self._board.listen(left)
        return self.told.popleft()

    def _demand_going(self) -> None:
        if self._board.stopped:
            raise Stopped

    def close(self) -> None:
        """Leave the executor to the others."""
