from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOON_SECONDS = 60
GONE_SECONDS = 2


def started(script, *arguments):
    """Start a Python that can import trtbuild and the tests' helpers; it warns of all it can."""
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONWARNINGS": "error", "PYTHONDEVMODE": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(condition, seconds):
    deadline = time.monotonic() + seconds
    while not (met := condition()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return met


def is_there(pid):
    """Tell whether a process runs; one that nobody has waited for yet does not."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def ignores_interrupts(pid):
    """Tell whether a process has come as far as that; see proc(5), SigIgn."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    mask = next(line.split()[1] for line in lines if line.startswith("SigIgn:"))
    return bool(int(mask, 16) >> (signal.SIGINT - 1) & 1)


BUSY = """
import functools, sys, time
import numpy as np
from tests.helpers.reducers import Sleeping
from trtbuild.calib.pool import Pool
from trtbuild.model.feeds import Feed

feeds = [Feed((str(i),), {"x": np.zeros(1), "n": np.zeros(1)}) for i in range(3)]
with Pool(3) as pool:
    print(*(worker._process.pid for worker in pool._workers), flush=True)
    mark = sys.argv[1]
    own = Sleeping(mark=mark)
    pool.share(feeds, own, functools.partial(Sleeping, mark=mark + "s"), progress=print)
"""


@pytest.mark.parametrize("when", ["starting", "busy"])
def test_none_outlives_a_parent_that_is_killed(tmp_path, when):
    """Whether they still start, or are in the middle of a feed."""
    parent = started(BUSY, str(tmp_path / "fed"))
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    if when == "busy":
        assert wait_for((tmp_path / "feds").exists, SOON_SECONDS)
    running = [pid for pid in pids if is_there(pid)]
    parent.kill()
    parent.communicate()

    assert (2, pids) == (len(pids), running)
    assert wait_for(lambda: not any(map(is_there, pids)), GONE_SECONDS)


def test_the_interrupt_key_does_not_reach_them(tmp_path):
    """Nor does an interrupt by hand: they end with the one that started them."""
    parent = started(BUSY, str(tmp_path / "fed"))
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert wait_for(lambda: ignores_interrupts(pids[0]), SOON_SECONDS)
    assert os.getpgid(pids[0]) != os.getpgid(parent.pid)
    os.kill(pids[0], signal.SIGINT)

    assert not wait_for(lambda: not is_there(pids[0]), 0.2)
    parent.kill()
    _, errors = parent.communicate()
    assert "" == errors


THREADED = """
import multiprocessing, threading
import numpy as np
import onnx
from pathlib import Path
from trtbuild.calib.collect import collect_histograms, make_pool
from trtbuild.calib.histogram import Histogram
from trtbuild.calib.observe import observing
from trtbuild.model.feeds import Feed

multiprocessing.set_start_method("spawn")
stop = threading.Event()
threading.Thread(target=stop.wait).start()
model = onnx.parser.parse_model(
    '<ir_version: 8, opset_import: ["" : 17]> g (float[N, 3] x) => (float[N, 3] y) { y = Relu(x) }'
)
feeds = [Feed((str(i),), {"x": np.full((1, 3), i, np.float32)}) for i in range(9)]
with make_pool(2) as pool, observing(model, ["x", "y"], folder=Path()) as (observer, _):
    found = {name: Histogram() for name in observer.tensors}
    count = collect_histograms(observer, feeds, found, pool=pool, progress=lambda _: None)
stop.set()
print(count, found["y"].total, found["y"].high)
"""


def test_threads_and_other_start_methods_are_no_matter():
    """Warnings are errors, a thread runs, the script has no guard for those who import it."""
    output, errors = started(THREADED).communicate()

    assert ("9 27 8.0\n", "") == (output, errors)
