"""Runs that are recorded as CUDA graphs, on a session that writes down what it is asked."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from trtbuild.core.errors import StepInputError
from trtbuild.timing import cuda
from trtbuild.timing.recorded_session import SETTLING, RecordedSession


class Options:
    """Takes the entries of a run, as ONNX Runtime's own."""

    def __init__(self):
        self.entries = {}

    def add_run_config_entry(self, key, value):
        self.entries[key] = value


class Value:
    """An array on the device, at one address."""

    def __init__(self, log):
        self._log = log

    def update_inplace(self, array):
        self._log.append(f"copy {array.shape}")


@pytest.fixture
def recorded(monkeypatch):
    """A session that records, and its log."""
    log = []
    event = SimpleNamespace(
        record=lambda _stream: log.append("event"), wait=lambda: None, since_ms=lambda _: 0.5
    )
    monkeypatch.setattr(cuda, "Event", lambda: event)
    monkeypatch.setattr("onnxruntime.RunOptions", Options)
    monkeypatch.setattr(
        "onnxruntime.OrtValue.ortvalue_from_numpy", lambda _array, _device, _index: Value(log)
    )

    def make_binding():
        return SimpleNamespace(
            bind_ortvalue_input=lambda name, _value: log.append(f"in {name}"),
            bind_output=lambda name, _device: log.append(f"anywhere {name}"),
            bind_ortvalue_output=lambda name, _value: log.append(f"fixed {name}"),
            get_outputs=lambda: ["there"],
            copy_outputs_to_cpu=lambda: log.append("fetch"),
        )

    session = SimpleNamespace(
        io_binding=make_binding,
        get_outputs=lambda: [SimpleNamespace(name="y")],
        run_with_iobinding=lambda _, options: log.append(f"run {options.entries['gpu_graph_id']}"),
    )
    tried = []
    return RecordedSession(session, SimpleNamespace(pointer=7), tried.append), log, tried


def test_nothing_is_recorded_before_memory_has_settled(recorded):
    """Outputs have fixed places, and all is allocated, before the run that is recorded."""
    opened, log, tried = recorded
    arrays = {"x": np.zeros(3, np.float32)}
    opened.feed(arrays)

    assert ["in x", "anywhere y", "run -1", "fixed y", *["run -1"] * SETTLING, "run 1"] == log
    assert [arrays] == tried


def test_each_set_of_shapes_has_a_graph_of_its_own(recorded):
    """By a number that is never 0; calls replay the last, between events, without a wait inside."""
    opened, log, _ = recorded
    opened.feed({"x": np.zeros(3, np.float32)})
    opened.feed({"x": np.zeros(5, np.float32)})
    log.clear()
    opened.call()
    opened.call_whole()

    assert ["event", "run 2", "event"] == log[:3]
    assert ["copy (5,)", "event", "run 2", "event", "fetch"] == log[3:]


def test_there_is_one_caller(recorded):
    """Graphs are recorded by thread."""
    with pytest.raises(StepInputError, match="have one caller"):
        recorded[0].fork()
