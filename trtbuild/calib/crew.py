"""Crew: forked processes that run feeds and count, each with histograms of its own.

Not threads: NumPy counts under the interpreter's lock. Forked once the session stands, so that
all share its memory and none loads the model again; a session of one thread is safe to fork.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, NoReturn, Self

from trtbuild.core.errors import StepInputError
from trtbuild.model.feeds import Feed

__all__ = ["Crew", "Work"]

_FINISHED = b"finished\n"


@dataclass(frozen=True)
class Work:
    """What each process does."""

    reduce: Callable[[Feed], None]
    finish: Callable[[Path], None]
    """Write what was reduced into a file."""


@dataclass
class _Hand:
    """One process, seen from the one that forked it."""

    pid: int
    feeds: IO[bytes]
    answers: IO[bytes]
    result: Path
    busy: list[tuple[int, int]] = field(default_factory=list)
    """Number and samples of the feed it runs, if any."""


class Crew:
    """Processes that share out feeds; a context, which leaves none of them behind."""

    def __init__(
        self, size: int, work: Work, *, scratch: Path, progress: Callable[[int], None]
    ) -> None:
        """Fork; `scratch` is where results go, `progress` is told the samples reduced so far."""
        self.samples = 0
        self._progress = progress
        self._errors: dict[int, StepInputError] = {}
        self._selector = selectors.DefaultSelector()
        self._hands: list[_Hand] = []
        for index in range(size):
            hand = _forked(work, scratch / f"{index}.npz", self._hands)
            self._hands.append(hand)
            self._selector.register(hand.answers, selectors.EVENT_READ, hand)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for hand in self._hands:
            with contextlib.suppress(BrokenPipeError):
                hand.feeds.close()
            hand.answers.close()
            os.kill(hand.pid, signal.SIGKILL)  # it may be in the middle of a feed
            os.waitpid(hand.pid, 0)
        self._selector.close()

    def give(self, number: int, feed: Feed) -> None:
        """Have a process reduce a feed, as soon as one is idle.

        Raises:
            StepInputError: a feed could not be reduced; of several, the first by their numbers.
        """
        while not self._errors and all(hand.busy for hand in self._hands):
            self._listen()
        if self._errors:
            self._wait()
        hand = next(hand for hand in self._hands if not hand.busy)
        hand.busy.append((number, len(feed.samples)))
        try:
            _send(hand.feeds, feed)
        except BrokenPipeError:
            _died(hand)

    def results(self) -> list[Path]:
        """Wait until all that was given is reduced; return the files that hold it.

        Raises:
            StepInputError: as for `give`.
        """
        self._wait()
        for hand in self._hands:
            hand.feeds.close()
        for hand in self._hands:
            if hand.answers.readline() != _FINISHED:
                _died(hand)
        return [hand.result for hand in self._hands]

    def _wait(self) -> None:
        while any(hand.busy for hand in self._hands):
            self._listen()
        if self._errors:
            raise self._errors[min(self._errors)]

    def _listen(self) -> None:
        for key, _ in self._selector.select():
            hand: _Hand = key.data
            line = hand.answers.readline()
            if not line:
                _died(hand)
            answer = json.loads(line)
            number, samples = hand.busy.pop()
            if "crash" in answer:
                raise RuntimeError(f"in a calibration process:\n{answer['crash']}")
            if "message" in answer:
                self._errors[number] = StepInputError(answer["message"], hint=answer["hint"])
                continue
            self.samples += samples
            self._progress(self.samples)


def _died(hand: _Hand) -> NoReturn:
    raise StepInputError(
        f"calibration process {hand.pid} died",
        hint="the likely cause is a lack of memory: let fewer threads work, or free some",
    )


def _forked(work: Work, result: Path, others: list[_Hand]) -> _Hand:
    feeds_in, feeds_out = os.pipe()
    answers_in, answers_out = os.pipe()
    with warnings.catch_warnings():
        # Threads of other libraries do not live on in the child, and it asks nothing of them.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):  # the other side sees that the answers end
            os.close(feeds_out)
            os.close(answers_in)
            for other in others:
                os.close(other.feeds.fileno())
                os.close(other.answers.fileno())
            _live(work, result, os.fdopen(feeds_in, "rb"), os.fdopen(answers_out, "wb"))
        os._exit(0)
    os.close(feeds_in)
    os.close(answers_out)
    return _Hand(pid, os.fdopen(feeds_out, "wb"), os.fdopen(answers_in, "rb"), result)


def _live(work: Work, result: Path, feeds: IO[bytes], answers: IO[bytes]) -> None:
    """Reduce feeds until there are no more, and finish."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever forked it is interrupted, and ends it
    while feed := _received(feeds):
        answer = {}
        try:
            work.reduce(feed)
        except StepInputError as error:
            answer = {"message": error.message, "hint": error.hint}
        except Exception:  # noqa: BLE001 - told to the other side, which raises it as a bug
            answer = {"crash": traceback.format_exc()}
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()
    work.finish(result)
    answers.write(_FINISHED)
    answers.flush()


def _send(pipe: IO[bytes], feed: Feed) -> None:
    arrays = [(name, array.dtype.str, array.shape) for name, array in feed.arrays.items()]
    pipe.write(json.dumps([feed.samples, arrays]).encode() + b"\n")
    for array in feed.arrays.values():
        pipe.write(array.tobytes())
    pipe.flush()


def _received(pipe: IO[bytes]) -> Feed | None:
    import numpy as np

    line = pipe.readline()
    if not line:
        return None
    samples, arrays = json.loads(line)
    found = {}
    for name, dtype, shape in arrays:
        size = np.dtype(dtype).itemsize * int(np.prod(shape))
        found[name] = np.frombuffer(pipe.read(size), dtype).reshape(shape)
    return Feed(tuple(samples), found)
