from __future__ import annotations

import itertools
import os
import threading
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from tests.helpers import reducers
from trtbuild.calib.pool import Pool
from trtbuild.core.errors import StepInputError
from trtbuild.model.feeds import Feed

SOON_SECONDS = 60


def feed(number, value=0.0):
    return Feed((f"{number}.png",), {"x": np.full((1, 2), value, np.float32), "n": np.int64([3])})


def children():
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


class Waiting(reducers.Sum):
    """Does not get on with its feed before another process has reduced one."""

    def __init__(self):
        super().__init__()
        self.told = []
        self.others = threading.Event()

    def add(self, feed):
        assert self.others.wait(SOON_SECONDS)
        super().add(feed)

    def progress(self, samples):
        self.told.append(samples)
        self.others.set()


def until(path):
    """Feed until a file is there."""
    deadline = time.monotonic() + SOON_SECONDS
    for number in itertools.count():
        if path.exists() or time.monotonic() > deadline:
            return
        yield feed(number)


def share(feeds, *, job=reducers.Sum, own=None, size=2, progress=lambda _: None):
    own = own or reducers.Sum()
    with Pool(size) as pool:
        return own.total, pool.share(feeds, own, job, progress=progress)


def test_without_others_all_is_done_here():
    """1 to 5, twice each and 3 more: 2 * 15 + 5 * 3."""
    own, told = reducers.Sum(), []
    share([feed(i, i) for i in range(1, 6)], own=own, size=1, progress=told.append)

    assert (45, [1, 2, 3, 4, 5]) == (own.total, told)


@pytest.mark.parametrize("size", [2, 3])
def test_every_feed_is_reduced_once(size):
    """The same sum as alone, in this process and in others; progress counts all samples."""
    own = Waiting()
    feeds = [feed(i, i) for i in range(1, 6)]
    _, others = share(feeds, own=own, size=size, progress=own.progress)

    assert 45 == own.total + sum(total for _, total in others)
    assert own.total > 0
    assert os.getpid() not in {pid for pid, _ in others}
    assert [1, 2, 3, 4, 5] == own.told


def test_nobody_waits_for_processes_that_are_not_ready():
    """A job that takes a minute to begin is not missed where there is little to do."""
    begin = time.monotonic()
    own = reducers.Sum()
    _, others = share([feed(0)], own=own, job=partial(time.sleep, 60))

    assert (3, []) == (own.total, others)
    assert time.monotonic() - begin < SOON_SECONDS / 2


def ends_in_use():
    with Pool(2):
        pass


def ends_with(error):
    def feeds():
        yield feed(0)
        raise error

    share(feeds())


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_no_process_is_left(error):
    """Neither after an end, nor unused, nor after an error of the feeds or an interrupt."""
    before = children()
    share([feed(0)])
    ends_in_use()
    with pytest.raises(error):
        ends_with(error)

    assert before == children()


def test_of_several_errors_the_first_counts():
    """Feeds 2 to 8 fail, some at the same time: the second is named."""
    with pytest.raises(StepInputError, match=r"2\.png is bad") as error:
        share(map(feed, range(9)), own=reducers.Refusing(), job=reducers.Refusing, size=3)

    assert "look at it" == error.value.hint


def test_an_error_of_another_process_is_raised_here():
    """With its hint, as if it had happened in this process."""
    with pytest.raises(StepInputError, match=r"\d+\.png is bad") as error:
        share(map(feed, itertools.count(2)), job=reducers.Refusing)

    assert "look at it" == error.value.hint


def test_a_bug_is_told_with_its_traceback():
    """What is no error of the input comes back as what it is."""
    with pytest.raises(RuntimeError, match=r"(?s)in a calibration process.*KeyError: 'typo'"):
        share(map(feed, itertools.count()), job=reducers.Buggy)


def test_what_a_library_prints_is_no_answer(capfd):
    """It goes where errors go."""
    own = Waiting()
    share([feed(0), feed(1)], own=own, job=reducers.Talking, progress=own.progress)

    assert "told by Python\ntold by C\n" in capfd.readouterr().err


@pytest.mark.parametrize("reducer", [reducers.DeadInAdd, reducers.DeadInResult])
def test_a_process_that_dies_is_an_error(tmp_path, reducer):
    """Killed for want of memory: said so, and never a shorter calibration."""
    mark = tmp_path / "fed"
    job = partial(reducer, mark=str(mark)) if reducer is reducers.DeadInResult else reducer
    before = children()
    with pytest.raises(StepInputError, match=r"calibration process \d+ died"):
        share(until(mark), job=job)

    assert before == children()
