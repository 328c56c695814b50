"""What threads run at the same time is one run; each gets its own."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tests.helpers.models import model_of
from trtbuild.core.errors import StepInputError, UsageError
from trtbuild.core.values import TensorSpec
from trtbuild.runtime import Batcher, Engine

LONG_MS = 60_000.0


def spec(name, *shape):
    return TensorSpec(name=name, dtype="float32", shape=shape)


class Doubling:
    """Doubles what it is given, and keeps how many rows each run had."""

    inputs, outputs = (spec("x", "n", "k"),), (spec("y", "n", "k"),)

    def __init__(self, rows=None):
        self.runs, self.rows = [], rows

    def run(self, feed):
        self.runs.append(len(feed["x"]))
        if np.isnan(feed["x"]).any():
            raise StepInputError("it holds a NaN")
        return {"y": 2 * feed["x"][: self.rows]}


def rows(*values, width=2):
    return np.repeat(np.float32(values)[:, None], width, axis=1)


def begin(threads, batcher, array):
    """Have a thread run an array; return its job once it waits, or has run."""
    job = threads.submit(batcher.run, {"x": array})
    while not job.done() and all(each.arrays["x"] is not array for each in batcher._waiting):
        time.sleep(0.001)
    return job


def test_what_comes_together_is_one_run():
    """As soon as the most that may be are there; outputs are each one's own."""
    engine, given = Doubling(), [rows(1), rows(2, 3), rows(4)]
    with Batcher(engine, largest=4, wait_ms=LONG_MS) as batcher, ThreadPoolExecutor(3) as threads:
        jobs = [begin(threads, batcher, each) for each in given]
        found = [job.result(10)["y"] for job in jobs]

    assert [4] == engine.runs
    for made, array in zip(found, given, strict=True):
        np.testing.assert_array_equal(2 * array, made)
        assert made.base is None


def test_only_what_is_alike_is_put_together():
    """Sizes beside axis 0 differ: they have a run of their own."""
    engine, given = Doubling(), [rows(1), rows(2, width=3), rows(3)]
    batcher = Batcher(engine, largest=2, wait_ms=LONG_MS)
    with ThreadPoolExecutor(3) as threads:
        jobs = [begin(threads, batcher, each) for each in given]
        assert [(1, 2), (1, 2)] == [job.result(10)["y"].shape for job in jobs[::2]]
        batcher.close()  # nobody waits any longer
        assert (1, 3) == jobs[1].result(10)["y"].shape

    assert [2, 1] == engine.runs


def test_what_finds_no_room_comes_with_the_next():
    """Nobody is split, and nobody overtaken."""
    engine = Doubling()
    with Batcher(engine, largest=4, wait_ms=LONG_MS) as batcher, ThreadPoolExecutor(3) as threads:
        jobs = [begin(threads, batcher, rows(*[1] * count)) for count in (3, 2, 2)]
        assert [3, 2, 2] == [len(job.result(10)["y"]) for job in jobs]

    assert [3, 4] == engine.runs


def test_the_first_waits_no_longer_than_it_shall():
    """Alone, it is run alone."""
    engine = Doubling()
    with Batcher(engine, largest=4, wait_ms=20.0) as batcher:
        begun = time.monotonic()
        batcher.run({"x": rows(1)})

    assert time.monotonic() - begun >= 0.02
    assert [1] == engine.runs


@pytest.mark.parametrize(
    ("engine", "given", "told"),
    [(Doubling(), [1, np.nan], "it holds a NaN"), (Doubling(rows=1), [1, 2], "`y` has 1 rows of")],
)
def test_an_error_is_told_to_all_it_concerns(engine, given, told):
    """And the next run is as ever."""
    with Batcher(engine, largest=2, wait_ms=LONG_MS) as batcher, ThreadPoolExecutor(2) as threads:
        jobs = [threads.submit(batcher.run, {"x": rows(each)}) for each in given]
        for each in jobs:
            with pytest.raises(StepInputError, match=told):
                each.result(10)
        engine.rows = None
        np.testing.assert_array_equal(rows(2, 4), batcher.run({"x": rows(1, 2)})["y"])


def test_what_makes_no_sense_is_refused():
    """Before it waits with others, which hear nothing of it."""
    engine = Doubling()
    batcher = Batcher(engine, largest=2)
    for wrong, told in (
        (rows(1).astype("f8"), "float64"),
        (rows(1, 2, 3), "`x` 3; of each input as many are taken, and 1 to 2"),
        (rows()[:0], "`x` 0;"),
    ):
        with pytest.raises(UsageError, match=told):
            batcher.run({"x": wrong})
    batcher.close()
    batcher.close()
    with pytest.raises(UsageError, match="is closed"):
        batcher.run({"x": rows(1)})
    assert [] == engine.runs
    with pytest.raises(UsageError, match="`largest` is 0"):
        Batcher(engine, largest=0)
    engine.outputs = (spec("y", 1, 2),)
    with pytest.raises(UsageError, match=r"axis 0 of `y` \[1, 2\] counts no samples"):
        Batcher(engine, largest=2)


def test_many_threads_over_onnx_runtime(tmp_path):
    """Everybody gets the answer to what was asked."""
    model = tmp_path / "m.onnx"
    model.write_bytes(
        model_of("m (float[n,2] x) => (float[n,2] y) { y = Add(x, x) }").SerializeToString()
    )
    wrong = []

    def ask(first):
        for value in range(first, first + 50):
            made = batcher.run({"x": rows(value)})["y"]
            wrong.extend([value] if (made != 2 * value).any() else [])

    with Engine(model, device="cpu") as engine, Batcher(engine, largest=8) as batcher:
        threads = [threading.Thread(target=ask, args=(50 * n,)) for n in range(8)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()

    assert [] == wrong
