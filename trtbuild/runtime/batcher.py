"""Batcher: what several threads run at the same time, put together into one run."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self

from trtbuild.core.errors import StepInputError, UsageError
from trtbuild.core.values import TensorSpec
from trtbuild.runtime.runner import Arrays, InputCheck, refuse_closed

__all__ = ["Batcher"]


class _Runs(Protocol):
    """An `Engine`, as far as it is used here."""

    @property
    def inputs(self) -> tuple[TensorSpec, ...]: ...
    @property
    def outputs(self) -> tuple[TensorSpec, ...]: ...
    def run(self, feed: Mapping[str, Any]) -> Arrays: ...


@dataclass(frozen=True, eq=False)
class _Asked:
    """What one thread waits for."""

    arrays: Arrays
    rows: int
    due: float
    """When it is run at the latest, if nothing else runs."""
    answer: Future[Arrays]

    @property
    def kind(self) -> tuple[tuple[int, ...], ...]:
        """The shapes of what it gives, without axis 0: only what is alike is put together."""
        return tuple(self.arrays[name].shape[1:] for name in sorted(self.arrays))


class Batcher:
    """Puts what several threads run at the same time together, along axis 0.

    A run begins once `largest` samples are there, or the first has waited for `wait_ms`. The engine
    stays the caller's, to be closed after this.
    """

    def __init__(self, engine: _Runs, *, largest: int, wait_ms: float = 2.0) -> None:
        """Take an engine, the most samples of a run, and how long the first waits for others.

        Raises:
            UsageError: axis 0 of an input or output is fixed, or a number makes no sense.
        """
        if largest < 1 or not 0 <= wait_ms <= threading.TIMEOUT_MAX:
            raise UsageError(
                f"`largest` is {largest} and `wait_ms` {wait_ms}",
                hint="at least one sample is run at once, and the first waits 0 ms or more",
            )
        for spec in (*engine.inputs, *engine.outputs):
            if not spec.shape or isinstance(spec.shape[0], int):
                raise UsageError(
                    f"axis 0 of `{spec.name}` [{', '.join(map(str, spec.shape))}] counts no "
                    "samples: nothing can be put together",
                    hint="open the batch axis (fix `set_dimension`)",
                )
        self._engine, self._largest, self._wait_seconds = engine, largest, wait_ms / 1e3
        self._check = InputCheck(engine.inputs)
        self._waiting: list[_Asked] = []
        self._changed = threading.Condition()
        self._closed = False
        self._worker = threading.Thread(target=self._work, name="batcher", daemon=True)
        self._worker.start()

    def run(self, feed: Mapping[str, Any]) -> Arrays:
        """Run samples together with those of other threads; return their outputs, one's own.

        `feed` has an array in main memory for each input, of [samples, ...].

        Raises:
            UsageError: arrays do not fit what the engine takes, or are more than `largest` samples;
                or this is closed.
            StepInputError: the engine does not run on them.
        """
        arrays = self._check.read(feed)
        counts = {name: array.shape[0] for name, array in arrays.items()}
        rows = max(counts.values())
        if len(set(counts.values())) > 1 or not 1 <= rows <= self._largest:
            told = ", ".join(f"`{name}` {count}" for name, count in counts.items())
            raise UsageError(
                f"samples: {told}; of each input as many are taken, and 1 to {self._largest}",
                hint="run more of them in several parts",
            )
        asked = _Asked(arrays, rows, time.monotonic() + self._wait_seconds, Future())
        with self._changed:
            if self._closed:
                raise refuse_closed()
            self._waiting.append(asked)
            self._changed.notify_all()
        return asked.answer.result()

    def _work(self) -> None:
        while batch := self._take():
            try:
                for each, outputs in zip(batch, self._run(batch), strict=True):
                    each.answer.set_result(outputs)
            except BaseException as error:  # noqa: BLE001  # is raised where they wait
                for each in batch:
                    each.answer.set_exception(error)

    def _take(self) -> list[_Asked]:
        """Return what is run next; nothing once this is closed and nobody waits."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if not self._waiting:
                return []
            due = self._waiting[0].due
            while not self._closed and not self._is_full():
                left = due - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    break
            batch = self._list_next()
            self._waiting = [each for each in self._waiting if each not in batch]
            return batch

    def _is_full(self) -> bool:
        kind = self._waiting[0].kind
        rows = sum(each.rows for each in self._waiting if each.kind == kind)
        return rows >= self._largest

    def _list_next(self) -> list[_Asked]:
        """Return who waits longest, and those after it that are alike and have room beside it."""
        batch: list[_Asked] = []
        room, kind = self._largest, self._waiting[0].kind
        for each in self._waiting:
            if each.kind == kind:
                room -= each.rows
                if room < 0:
                    break
                batch.append(each)
        return batch

    def _run(self, batch: Sequence[_Asked]) -> list[Arrays]:
        import numpy as np

        if len(batch) == 1:
            return [self._engine.run(batch[0].arrays)]
        feed = {n: np.concatenate([each.arrays[n] for each in batch]) for n in batch[0].arrays}
        made = self._engine.run(feed)
        ends = np.cumsum([each.rows for each in batch])
        for name, array in made.items():
            if len(array) != ends[-1]:
                raise StepInputError(
                    f"`{name}` has {len(array)} rows of {ends[-1]} samples: they cannot be told "
                    "apart",
                    hint="run the engine itself, not by a batcher",
                )
        spans = [slice(end - each.rows, end) for each, end in zip(batch, ends, strict=True)]
        return [{name: array[span].copy() for name, array in made.items()} for span in spans]

    def close(self) -> None:
        """Take nothing more, and return once what waits has run."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._worker.join()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()
