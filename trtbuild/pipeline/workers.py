"""Threads that take items from one queue, work on them, and put them into the next."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from trtbuild.pipeline.item import Item
from trtbuild.pipeline.queues import BoundedQueue, PipelineStopped

__all__ = ["PartWorker", "StagePart"]

Work = Callable[[Sequence[Item]], list[Item]]


@dataclass(frozen=True)
class StagePart:
    """A piece of work: what a stage consists of."""

    stage: str
    name: str
    """`preprocess`, `infer`, `answer`; of a function, its name."""
    work: Work
    most: int = 1
    """How many items it takes at once."""
    wait_seconds: float = 0.0
    runs: str = ""
    """What runs its model, and where; of a part without a model, nothing."""
    why: tuple[str, ...] = ()
    """Why no engine before that runs, and what is not known of it."""
    close: Callable[[], None] = field(default=lambda: None)


class PartWorker(threading.Thread):
    """Does one part's work, in the order in which items come."""

    def __init__(
        self,
        part: StagePart,
        source: BoundedQueue[Item],
        sink: BoundedQueue[Item],
        failed: Callable[[BaseException], None],
    ) -> None:
        """Take where items come from and go to; `failed` is told what went wrong."""
        super().__init__(name=f"{part.stage}: {part.name}", daemon=True)
        self.part = part
        self.source, self._sink, self._failed = source, sink, failed
        self.items = self.left_out = 0
        self.busy_seconds = 0.0

    def run(self) -> None:
        """Work until no more comes."""
        try:
            while items := self.source.take(self.part.most, self.part.wait_seconds):
                before = time.monotonic()
                done = self.part.work(items)
                self.busy_seconds += time.monotonic() - before
                self.items += len(items)
                self.left_out += len(items) - len(done)
                for each in done:
                    self._sink.put(each)
            self._sink.close()
        except PipelineStopped:
            pass
        except BaseException as error:  # noqa: BLE001  # is raised again where the pipeline runs
            self._failed(error)
