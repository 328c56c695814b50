"""Pool: processes that share out the feeds of a calibration, this one among them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Self

from trtbuild.calib.worker import Job, Reducer, Worker
from trtbuild.model.feeds import Feed

__all__ = ["Pool"]

_BEFORE_ALL = -1


class Pool:
    """Processes that share out feeds, once; a context, which leaves none of them behind.

    They start, and import what they will need, while the one that starts them prepares the job.
    """

    def __init__(self, size: int, *, imports: Sequence[str] = ()) -> None:
        """Start no process yet; of `size`, this is one."""
        self._size = size
        self._imports = imports
        self._workers: list[Worker] = []

    def __enter__(self) -> Self:
        try:
            for _ in range(self._size - 1):
                self._workers.append(Worker(self._imports))
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def share(
        self, feeds: Iterable[Feed], own: Reducer, job: Job, *, progress: Callable[[int], None]
    ) -> list[Any]:
        """Have each feed reduced by whoever is idle: `own` here, or a reducer that `job` makes.

        Returns the others' results; `own` keeps what it took in. A process that is not ready when
        all is done is not waited for. `progress` is told the samples reduced so far.

        Raises:
            StepInputError: a feed could not be reduced; of several, the first by their numbers.
        """
        if not self._workers:
            _reduce_all(feeds, own, progress)
            return []
        sharing = _Sharing(progress)
        with ThreadPoolExecutor(1 + len(self._workers)) as threads:
            try:
                threads.submit(sharing.work, -1, own)
                others = [
                    threads.submit(sharing.work, index, worker, partial(worker.begin, job))
                    for index, worker in enumerate(self._workers)
                ]
                sharing.deal(feeds)
                return [each.result() for i, each in enumerate(others) if i in sharing.used]
            finally:
                sharing.close()
                self._end()

    def _end(self) -> None:
        for worker in self._workers:
            worker.end()


def _reduce_all(feeds: Iterable[Feed], own: Reducer, progress: Callable[[int], None]) -> None:
    samples = 0
    for feed in feeds:
        own.add(feed)
        samples += len(feed.samples)
        progress(samples)


class _Sharing:
    """One sharing out: a thread a process takes one feed after the other, and waits for it.

    The next feed is made while all are busy, so that nobody waits for it.
    """

    def __init__(self, progress: Callable[[int], None]) -> None:
        self.used: set[int] = set()
        """The indices of those who were given a feed."""
        self._progress = progress
        lock = threading.Lock()
        self._dealt = threading.Condition(lock)
        """There is a feed to take, or there will be none any more."""
        self._moved = threading.Condition(lock)
        """A feed was taken, or is reduced, or something went wrong."""
        self._next: tuple[int, Feed] | None = None
        self._closed = False
        self._running: set[int] = set()
        self._samples = 0
        self._errors: dict[int, Exception] = {}

    def deal(self, feeds: Iterable[Feed]) -> None:
        """Offer each feed, and wait until all are reduced."""
        for number, feed in enumerate(feeds):
            with self._moved:
                self._moved.wait_for(lambda: self._errors or not self._next)
                if self._errors:
                    break
                self._next = number, feed
                self._dealt.notify()
        with self._moved:
            self._moved.wait_for(lambda: not self._running and (self._errors or not self._next))
        self.close()
        if self._errors:
            raise self._errors[min(self._errors)]

    def close(self) -> None:
        """Let nobody wait for a feed any more."""
        with self._dealt:
            self._closed = True
            self._dealt.notify_all()

    def work(self, index: int, reducer: Reducer, begin: Callable[[], None] = lambda: None) -> Any:
        """Have a reducer take what is dealt, as long as there is any; return what came of it."""
        try:
            begin()
        except Exception as error:  # noqa: BLE001  # raised by `deal`
            return self._stop(_BEFORE_ALL, error)
        while given := self._take(index):
            number, feed = given
            try:
                reducer.add(feed)
                self._count(number, len(feed.samples))
            except Exception as error:  # noqa: BLE001  # raised by `deal`
                self._stop(number, error)
        return reducer.result() if index in self.used else None

    def _take(self, index: int) -> tuple[int, Feed] | None:
        with self._dealt:
            self._dealt.wait_for(lambda: self._closed or self._next)
            given, self._next = self._next, None
            if given and not self._closed:
                self._running.add(given[0])
                self.used.add(index)
                self._moved.notify()
                return given
            return None

    def _count(self, number: int, samples: int) -> None:
        with self._moved:
            self._samples += samples
            self._progress(self._samples)
            self._running.discard(number)
            self._moved.notify()

    def _stop(self, number: int, error: Exception) -> None:
        with self._moved:
            self._errors[number] = error
            self._running.discard(number)
            self._moved.notify()
