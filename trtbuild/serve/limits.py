"""How much a server takes on: sizes, time, and how many wait."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from trtbuild.serve.problem import HttpProblem

__all__ = ["Desk", "Limits", "read_body"]

Result = TypeVar("Result")


@dataclass(frozen=True)
class Limits:
    """What a server refuses to go beyond."""

    body_bytes: int = 64 << 20
    """Of a request."""
    seconds: float = 30.0
    """For a request to come in; and again for the answer to it."""
    waiting: int = 64
    """Requests that wait for others; one more is refused, to be sent again."""
    at_once: int = 1
    """Requests that are computed at the same time."""


class Desk:
    """Where requests are computed, a few at a time, and others wait: not too many."""

    def __init__(self, limits: Limits) -> None:
        """Open it with so many threads as compute at once."""
        self._limits = limits
        self._threads = ThreadPoolExecutor(limits.at_once, thread_name_prefix="infer")
        self._taken = self._coming = 0

    @contextlib.contextmanager
    def receiving(self) -> Iterator[None]:
        """Have a request come in; as many may do so at once as may wait, whose memory they take.

        Raises:
            HttpProblem: too many do, or too many wait, so that it would be for nothing.
        """
        self._demand_room(max(self._taken, self._coming))
        self._coming += 1
        try:
            yield
        finally:
            self._coming -= 1

    def _demand_room(self, count: int) -> None:
        if count >= self._limits.at_once + self._limits.waiting:
            raise HttpProblem(503, f"{count} requests wait already: send this one again later")

    async def compute(self, work: Callable[[], Result]) -> Result:
        """Return what a piece of work comes to, in its turn.

        Raises:
            HttpProblem: too many wait, or it takes too long: then it is left to end by itself.
        """
        self._demand_room(self._taken)
        self._taken += 1
        job = asyncio.get_running_loop().run_in_executor(self._threads, work)
        job.add_done_callback(self._leave)
        try:
            return await asyncio.wait_for(asyncio.shield(job), self._limits.seconds)
        except TimeoutError:
            job.cancel()
            raise HttpProblem(504, f"no answer after {self._limits.seconds:g} s") from None

    def _leave(self, job: asyncio.Future[Any]) -> None:
        self._taken -= 1
        if not job.cancelled():
            job.exception()  # is known: whoever waited for it has gone

    def close(self) -> None:
        """Wait for what is computed, and take nothing more."""
        self._threads.shutdown(cancel_futures=True)


async def read_body(chunks: AsyncIterator[bytes], told: str | None, limits: Limits) -> bytes:
    """Return the body of a request, as long as it is not too large or too slow.

    Raises:
        HttpProblem: it is.
    """
    too_large = HttpProblem(413, f"a request has at most {limits.body_bytes} bytes")
    if told is not None and told.isdigit() and int(told[:20]) > limits.body_bytes:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(limits.seconds):
            async for chunk in chunks:
                body += chunk
                if len(body) > limits.body_bytes:
                    raise too_large
    except TimeoutError:
        raise HttpProblem(408, f"the request did not come in within {limits.seconds:g} s") from None
    return bytes(body)
