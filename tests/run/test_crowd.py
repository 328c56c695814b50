"""Many processes walk at once over one store."""

from __future__ import annotations

import multiprocessing
import os
from collections import Counter

import pytest

from tests.helpers.executors import Recording
from tests.helpers.plans import plan_with
from trtbuild.run.executor import QuietListener
from trtbuild.run.walk import walk_plan
from trtbuild.store.store import Store

PROCESSES = 8


class Noting(Recording):
    """Writes every start into a file that all processes append to."""

    def __init__(self, path):
        super().__init__()
        self._path = path

    def start(self, call):
        line = f"{call.name}\n".encode()
        handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(handle, line)
        os.close(handle)
        super().start(call)


def walking(root, path, percentile, gate):
    gate.wait()
    outcomes = walk_plan(
        plan_with(percentile=percentile), Store(root), Noting(path), QuietListener()
    )
    assert {"ran", "reused"} >= {outcome.status for outcome in outcomes}


@pytest.mark.parametrize("recipes", [1, 4])
def test_eight_processes_do_each_step_once(store, tmp_path, recipes):
    """Of one recipe or of several: what these have in common is made by whoever comes first."""
    context = multiprocessing.get_context("fork")
    gate, log = context.Barrier(PROCESSES), tmp_path / "started"
    percentiles = [90.0 + index % recipes for index in range(PROCESSES)]
    processes = [
        context.Process(target=walking, args=(store.root, log, percentile, gate))
        for percentile in percentiles
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()

    assert [0] * PROCESSES == [process.exitcode for process in processes]
    own = {"calibrate", "quantize", "build_engine(rtx)"}
    started = Counter(log.read_text().split())
    assert {name: recipes if name in own else 1 for name in started} == started
    assert own < set(started)
