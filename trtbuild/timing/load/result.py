"""What requests at a rate come to: times, the queue, and whether the model keeps up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trtbuild.core.load import Load, LoadRow, QueueLength, Verdict
from trtbuild.core.spread import Shapes
from trtbuild.timing.quantiles import summarize

if TYPE_CHECKING:
    import numpy as np

    from trtbuild.timing.load.serving import Served

__all__ = ["Offered", "make_row"]

SLICES = 60
"""Of time, of each of which the mean length of the queue is kept."""
BLOCKS = 24
LEFT = 0.05
"""Share of all requests: where more than that (and than two calls) wait at the end, it grows."""
FULL = 0.95
"""Busy for so much of the time, with batches as full: no room is left."""


@dataclass(frozen=True)
class Offered:
    """What came, and how it was served."""

    variant: str
    shapes: Shapes
    rate: float
    due: np.ndarray
    """Times of requests, in ns from the start."""
    served: Served


def make_row(offered: Offered, asked: Load) -> LoadRow:
    """Return what it comes to."""
    import numpy as np

    due, served = offered.due, offered.served
    counts, opened, started, done = (
        np.frombuffer(each, np.int64)
        for each in (served.counts, served.opened, served.started, served.done)
    )
    answered = int(counts.sum())
    end = int(done[-1]) if answered == len(due) else max(int(done[-1]), int(due[-1]))
    mine = np.repeat(np.arange(len(counts)), counts)
    came = due[:answered]
    latency = np.append(done[mine] - came, np.maximum(end - due[answered:], 0))
    queue = np.append(started[mine], np.full(len(due) - answered, end))
    window = int(asked.seconds * 1e9)
    left = int(np.count_nonzero(queue >= window))
    busy = float((done - started).sum()) / end
    batch = answered / len(counts)
    verdict = _judge(left, len(due), asked.max_batch, busy, batch)
    row = LoadRow(
        variant=offered.variant,
        shapes=offered.shapes,
        rate=offered.rate,
        requests=len(due),
        answered=answered,
        per_second=1e9 * answered / int(done[-1]),
        latency=summarize(
            [each.tolist() for each in np.array_split(latency, min(BLOCKS, len(latency)))]
        ),
        queued_ms=float(np.maximum(opened[mine] - came, 0).mean()) / 1e6,
        held_ms=float((started[mine] - np.maximum(opened[mine], came)).mean()) / 1e6,
        running_ms=float((done - started)[mine].mean()) / 1e6,
        batch=batch,
        busy=min(busy, 1.0),
        queue=_measure_queue(due, queue, end),
        growth_per_second=left / asked.seconds,
        verdict=verdict,
    )
    return row.model_copy(update={"remarks": _list_remarks(row)})


def _judge(left: int, total: int, most: int, busy: float, batch: float) -> Verdict:
    if left > max(2 * most, LEFT * total):
        return "cannot keep up"
    return "at its limit" if busy >= FULL and batch >= FULL * most else "keeps up"


def _measure_queue(due: np.ndarray, left: np.ndarray, end: int) -> QueueLength:
    """Integrate the number that waits over time: each does from when it was due until it left."""
    import numpy as np

    edges = np.linspace(0, end, SLICES + 1)
    # Waiting time until t, of all: the integral of the length of the queue.
    spent = [float((np.minimum(left, t) - np.minimum(due, t)).sum()) for t in edges]
    means = np.diff(spent) / np.diff(edges)
    times = np.concatenate([due, left])
    steps = np.concatenate([np.ones(len(due)), -np.ones(len(left))])
    order = np.lexsort((steps, times))  # who leaves at once with another's coming leaves first
    return QueueLength(
        mean=spent[-1] / end,
        most=max(0, int(np.cumsum(steps[order]).max())),
        over_time=tuple(
            (round(float(edge) / 1e9, 4), round(float(mean), 4))
            for edge, mean in zip(edges[1:], means, strict=True)
        ),
    )


def _list_remarks(row: LoadRow) -> tuple[str, ...]:
    found = []
    if row.answered < row.requests:
        found.append(
            f"{row.requests - row.answered} of {row.requests} requests had no answer when it was "
            "given up: for these the time until then counts, so that percentiles are too low"
        )
    if row.latency.p99.high is None and row.verdict != "cannot keep up":
        found.append(f"{row.requests} requests do not bound p99 from above")
    return tuple(found)
