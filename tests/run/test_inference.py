"""A GPU whose memory is full is left for the CPU, where it was not asked for by name."""

from __future__ import annotations

import pytest

from trtbuild.core.errors import StepFailed
from trtbuild.run.executor import CallResult, QuietListener
from trtbuild.run.inference import Inference, leaving_gpu


class Heard(QuietListener):
    """Hears where it goes on."""

    def __init__(self):
        self.messages = []

    def moved(self, message):
        self.messages.append(message)


def end(name, *, full=True):
    return CallResult(name=name, seconds=0.0, where="here", message="no", code=3, gpu_full=full)


def failing(times, step="calibrate"):
    """Work that fails so often, and then tells how often it did."""
    done = []

    def work():
        done.append(step)
        if len(done) <= times:
            raise StepFailed("no memory", step=step)
        return len(done)

    return work


@pytest.mark.parametrize(
    ("where", "full", "done"),
    [("auto", True, 2), ("cuda", True, 0), ("auto", False, 0), ("cpu", False, 0)],
)
def test_work_is_done_again_on_the_cpu_where_that_may_be(where, full, done):
    """And whoever waits is told, and so is who reads the record."""
    inference, heard = Inference(where), Heard()
    inference.hear(end("calibrate", full=full))
    work = failing(1)
    if not done:
        with pytest.raises(StepFailed):
            leaving_gpu(inference, heard, work)
        assert ([], []) == (heard.messages, inference.here.doubts)
        return

    assert done == leaving_gpu(inference, heard, work)
    told = "the GPU's memory was full in calibrate: ONNX Runtime computes on the CPU"
    assert [told] == heard.messages
    assert inference.here.inference == "cpu"
    assert inference.here.doubts[0].startswith(f"{told} (hint: end what holds the rest")


def test_what_fails_again_fails():
    """Once is enough."""
    inference = Inference("auto")
    inference.hear(end("calibrate"))
    with pytest.raises(StepFailed):
        leaving_gpu(inference, Heard(), failing(2))


def test_walks_beside_each_other_leave_it_each_by_itself():
    """The second finds it left, and its step to be done again all the same."""
    inference = Inference("auto")
    for name in ("0/calibrate", "1/infer"):
        inference.hear(end(name))
    told = [inference.leave_gpu(each) for each in ("0/calibrate", "1/infer", "1/infer")]

    assert ["was full in calibrate" in told[0], "was full in infer" in told[1], told[2]] == [
        True, True, "",
    ]  # fmt: skip
    assert 1 == len(inference.here.doubts)


def test_an_executor_that_knows_no_gpu_changes_nothing():
    """Nor does it hide what failed."""
    with pytest.raises(StepFailed, match="no memory"):
        leaving_gpu(object(), Heard(), failing(1))
