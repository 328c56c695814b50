"""Bounded queues between stages, which count what waits and what is dropped."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Generic, TypeVar

from trtbuild.pipeline.schema import Queue

__all__ = ["BoundedQueue", "PipelineStopped"]

Value = TypeVar("Value")


class PipelineStopped(Exception):  # is no error
    """The pipeline is ending: nobody waits any more."""


class BoundedQueue(Generic[Value]):
    """First in, first out; closed by whoever fills it, once no more comes."""

    def __init__(self, policy: Queue) -> None:
        """Take how many may wait, and what happens when one more comes."""
        self._policy = policy
        self._values: deque[Value] = deque()
        self._changed = threading.Condition()
        self._closed = self._stopped = False
        self.dropped = 0
        """How many went for want of room."""
        self.put_count = self._length_sum = self.longest = 0

    @property
    def mean_length(self) -> float:
        """How many waited on average when one more came."""
        return self._length_sum / self.put_count if self.put_count else 0.0

    def put(self, value: Value) -> None:
        """Add a value; where there is no room, wait or drop the oldest.

        Raises:
            PipelineStopped: the pipeline is ending.
        """
        with self._changed:
            while len(self._values) >= self._policy.size and not self._stopped:
                if self._policy.full == "drop_oldest":
                    self._values.popleft()
                    self.dropped += 1
                else:
                    self._changed.wait()
            if self._stopped:
                raise PipelineStopped
            self._length_sum += len(self._values)
            self.put_count += 1
            self._values.append(value)
            self.longest = max(self.longest, len(self._values))
            self._changed.notify_all()

    def take(self, most: int, wait_seconds: float) -> list[Value]:
        """Return up to `most` values; nothing once it is closed and empty.

        Waits for the first as long as it takes, and then `wait_seconds` for others.

        Raises:
            PipelineStopped: the pipeline is ending.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._values or self._closed or self._stopped)
            if most > 1 and wait_seconds and self._values:
                end = time.monotonic() + wait_seconds
                while len(self._values) < most and not (self._closed or self._stopped):
                    left = end - time.monotonic()
                    if left <= 0 or not self._changed.wait(left):
                        break
            if self._stopped:
                raise PipelineStopped
            found = [self._values.popleft() for _ in range(min(most, len(self._values)))]
            self._changed.notify_all()
            return found

    def close(self) -> None:
        """Say that no more comes."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def stop(self) -> None:
        """Wake everybody who waits here, to end."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
