from __future__ import annotations

import math

import numpy as np
import pytest

from trtbuild.calib.reader_limits import NARROWEST, find_reader_limits
from trtbuild.model.feeds import Feed

HIGHEST = {"a": 10.0, "b": 8.0}


class Errs:
    """Stands for a session: each tensor errs by how far its scale is from a best one."""

    def __init__(self, best):
        self.best = best

    def run(self, feed):
        off = {name: math.log(float(feed[name]) / best) ** 2 for name, best in self.best.items()}
        return {f"{name}/e": np.array(each) for name, each in off.items()} | {"s": np.array(4.0)}


def found(best, groups=(), workers=1):
    feeds = [Feed((str(i),), {"x": np.zeros(1, np.float32)}) for i in range(3)]
    return find_reader_limits(
        Errs(best),
        feeds,
        [(name, f"{name}/e", "s") for name in best],
        lambda limits: {name: np.array(limit) for name, limit in limits.items()},
        HIGHEST,
        lambda name: next((group for group in groups if name in group), (name,)),
        workers=workers,
    )


def test_the_limit_lies_between_those_tried():
    """A parabola through the three lowest: that of the logarithm is met exactly."""
    assert {"a": pytest.approx(7.3), "b": pytest.approx(5.1)} == found({"a": 7.3, "b": 5.1})


def test_none_is_outside_what_is_tried():
    """Nothing wider than the largest value, nor narrower than about a third of it."""
    assert {"a": 10.0, "b": pytest.approx(8 * NARROWEST)} == found({"a": 99.0, "b": 0.1})


def test_tensors_that_share_a_scale_have_one_limit():
    """That with which the readers of both err least."""
    limits = found({"a": 4.0, "b": 9.0}, groups=[("a", "b")])

    assert limits["a"] == limits["b"] == pytest.approx(6.0)


@pytest.mark.parametrize("best", [10.0, 9.1, 8.0, 6.4, 4.4, 4.1, 3.5])
def test_no_more_than_six_limits_are_tried(best):
    """Every second one, and the neighbours of the best, each tensor's its own."""
    errs = Errs({"a": best, "b": 8 * best / 10})
    feeds = [Feed(("0",), {"x": np.zeros(1, np.float32)})]
    asked = []

    def scales(limits):
        asked.append(dict(limits))
        return {name: np.array(limit) for name, limit in limits.items()}

    readings = [(name, f"{name}/e", "s") for name in "ab"]
    limits = find_reader_limits(errs, feeds, readings, scales, HIGHEST, lambda name: (name,))

    assert 6 == len(asked)
    assert {"a": pytest.approx(best), "b": pytest.approx(0.8 * best)} == limits


def test_what_nothing_reads_has_none():
    """What the histogram says of it counts."""
    assert {"a"} == set(found({"a": 7.0}))


def test_threads_change_nothing():
    """Errors are added in the order of the samples."""
    assert found({"a": 6.0, "b": 5.0}) == found({"a": 6.0, "b": 5.0}, workers=3)
