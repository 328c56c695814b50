"""A session of ONNX Runtime that is called again and again."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np


def test_on_a_gpu_calls_lie_between_events_on_one_stream(monkeypatch):
    """Of the stream that ONNX Runtime was given; outputs keep their memory."""
    from trtbuild.timing import cuda, onnx_session

    log = []

    class Event:
        def record(self, pointer):
            log.append(f"record {pointer}")

        def wait(self):
            log.append("wait")

        def since_ms(self, earlier):
            return 0.25 if earlier is not self else 0.0

    binding = SimpleNamespace(
        bind_ortvalue_input=lambda name, _value: log.append(f"in {name}"),
        bind_output=lambda name, device: log.append(f"out {name} {device}"),
        bind_ortvalue_output=lambda name, value: log.append(f"keep {name} {value}"),
        get_outputs=lambda: ["there"],
    )
    session = SimpleNamespace(
        io_binding=lambda: binding,
        get_outputs=lambda: [SimpleNamespace(name="y")],
        run_with_iobinding=lambda _binding, *_at_once: log.append("run"),
    )
    monkeypatch.setattr(cuda, "Event", Event)
    monkeypatch.setattr(
        "onnxruntime.OrtValue.ortvalue_from_numpy", lambda _array, device, _index: device
    )
    opened = onnx_session.OpenSession(session, "cuda", SimpleNamespace(pointer=7))
    opened.feed({"x": np.zeros(1, np.float32)})
    opened.call()

    assert (True, True, 0.25) == (
        opened.has_events, opened.has_transfers, opened.read_events_ms(),
    )  # fmt: skip
    assert ["in x", "out y cuda", "run", "keep y there"] == log[:4]
    assert ["record 7", "run", "record 7", "wait"] == log[4:]
