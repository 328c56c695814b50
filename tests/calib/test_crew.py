from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest

from trtbuild.calib.crew import Crew, Work
from trtbuild.core.errors import StepInputError
from trtbuild.model.feeds import Feed


def feed(number, value):
    return Feed((f"{number}.png",), {"x": np.full((1, 2), value, np.float32), "n": np.int64([3])})


def children():
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


def run(tmp_path, values, *, reduce=None, finish=None, size=2):
    """Sum feeds over processes; returns the sum, the samples, and what progress was told."""
    total = []

    def write(path):
        path.write_text(str(sum(total)))

    work = Work(
        reduce=reduce or (lambda feed: total.append(feed.arrays["x"].sum() + feed.arrays["n"][0])),
        finish=finish or write,
    )
    told = []
    with Crew(size, work, scratch=tmp_path, progress=told.append) as crew:
        for number, value in enumerate(values):
            crew.give(number, feed(number, value))
        found = sum(float(path.read_text()) for path in crew.results())
    return found, crew.samples, told


@pytest.mark.parametrize("size", [1, 3])
def test_every_feed_is_reduced_once(tmp_path, size):
    """1 to 5, twice each and 3 more: 2 * 15 + 5 * 3, however many processes share them."""
    assert (45, 5, [1, 2, 3, 4, 5]) == run(tmp_path, range(1, 6), size=size)


def test_no_process_is_left(tmp_path):
    """Neither after an end nor after an error."""
    before = children()
    run(tmp_path, [1])
    with pytest.raises(ZeroDivisionError):
        run(tmp_path, (1 // (3 - i) for i in range(9)))

    assert before == children()


def test_of_several_errors_the_first_counts(tmp_path):
    """Feeds 2 to 5 fail, at the same time: the second is named."""

    def reduce(feed):
        if feed.samples[0] > "1.png":
            raise StepInputError(f"{feed.samples[0]} is bad", hint="look at it")

    with pytest.raises(StepInputError, match=r"2\.png is bad") as error:
        run(tmp_path, range(6), reduce=reduce, size=4)

    assert "look at it" == error.value.hint


def test_a_bug_is_told_with_its_traceback(tmp_path):
    """What is no error of the input comes back as what it is."""
    with pytest.raises(RuntimeError, match=r"(?s)in a calibration process.*KeyError: 'typo'"):
        run(tmp_path, range(3), reduce=lambda _: {}["typo"])


@pytest.mark.parametrize("when", ["reduce", "finish"])
def test_a_process_that_dies_is_an_error(tmp_path, when):
    """Killed for want of memory: said so, and never a shorter calibration."""
    with pytest.raises(StepInputError, match=r"calibration process \d+ died"):
        run(tmp_path, range(9), **{when: lambda _: os.kill(os.getpid(), signal.SIGKILL)})
