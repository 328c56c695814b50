"""Streams, events and graphs, on a driver that writes down what it is asked."""

from __future__ import annotations

import ctypes

import pytest

from trtbuild.core.errors import NoGpu, StepInputError
from trtbuild.timing import cuda


class Driver:
    """Gives each thing a number, counts ms in recorded events, and fails where it is told to."""

    def __init__(self, fails=""):
        self.asked, self.fails, self.made = [], fails, 0

    def __getattr__(self, name):
        def answer(*arguments):
            self.asked.append(name)
            if name == self.fails:
                return 2
            if name == "cuGetErrorString":
                arguments[1]._obj.value = b"out of memory"
            elif name == "cuEventElapsedTime":
                arguments[0]._obj.value = 1.5
            elif name.endswith("Create") and hasattr(arguments[0], "_obj"):
                self.made += 1
                arguments[0]._obj.value = 100 + self.made
            return 0

        return answer


@pytest.fixture
def driver(monkeypatch):
    found = Driver()
    monkeypatch.setattr(cuda, "_LOADED", {})
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: found)
    return found


def test_time_passes_between_events_on_a_stream(driver):
    """By the device's clock; everything is given back."""
    stream, begin, end = cuda.Stream(), cuda.Event(), cuda.Event()
    begin.record(stream.pointer)
    end.record(stream.pointer)
    end.wait()

    assert 101 == stream.pointer
    assert 1.5 == end.since_ms(begin)
    for each in (begin, end, stream):
        each.close()
    assert ["cuEventDestroy_v2"] * 2 + ["cuStreamDestroy_v2"] == driver.asked[-3:]


def test_a_graph_is_recorded_once_and_launched(driver):
    """What lies between begin and finish."""
    graph = cuda.Graph(cuda.Stream().pointer)
    graph.finish()
    graph.launch()
    graph.close()

    assert [
        "cuStreamBeginCapture_v2", "cuStreamEndCapture", "cuGraphInstantiateWithFlags",
        "cuGraphDestroy", "cuGraphLaunch", "cuGraphExecDestroy",
    ] == driver.asked[-6:]  # fmt: skip


def test_what_the_driver_refuses_is_said_in_its_words(driver):
    """With the call that it refused."""
    driver.fails = "cuStreamCreate"

    with pytest.raises(StepInputError, match="cuStreamCreate: out of memory"):
        cuda.Stream()


def test_without_a_driver_there_is_no_gpu(monkeypatch):
    """One error."""

    def absent(_name):
        raise OSError

    monkeypatch.setattr(cuda, "_LOADED", {})
    monkeypatch.setattr(ctypes, "CDLL", absent)

    with pytest.raises(NoGpu):
        cuda.load_driver()
