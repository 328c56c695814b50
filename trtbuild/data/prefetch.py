"""Work on items ahead of their reader, in order and bounded."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

__all__ = ["map_in_order"]

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST_THREADS = 8
AHEAD = 2


def map_in_order(
    work: Callable[[Item], Result], items: Iterable[Item], *, threads: int
) -> Iterator[Result]:
    """Yield `work(item)` for each item, in the order of the items.

    Up to 8 threads run, and at most two results a thread wait for their reader, so memory does
    not grow with the number of items. The first exception comes out where its result would have.
    """
    from concurrent.futures import ThreadPoolExecutor

    threads = min(threads, MOST_THREADS)
    if threads < 1:
        yield from map(work, items)
        return
    pool = ThreadPoolExecutor(threads, thread_name_prefix="prefetch")
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > AHEAD * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
