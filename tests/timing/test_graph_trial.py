"""Recording that is tried out in a process of its own."""

from __future__ import annotations

import subprocess
from types import SimpleNamespace

import numpy as np
import pytest

from trtbuild.core.errors import StepInputError
from trtbuild.timing.graph_trial import try_recording


@pytest.mark.parametrize(
    ("code", "out", "errors", "said"),
    [
        (0, 'noise\n{"hindrance": "`y` is another"}\n', "", "CUDA graph: `y` is another"),
        (-11, "", "failure 900: stream is capturing\n", "ended with -11: failure 900: stream is"),
        (0, "", "", "ended with 0: it said nothing"),
    ],
)
def test_why_it_cannot_be_recorded_is_told(monkeypatch, tmp_path, code, out, errors, said):
    """By the other process, or by its end."""
    answer = SimpleNamespace(returncode=code, stdout=out, stderr=errors)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: answer)
    with pytest.raises(StepInputError) as raised:
        try_recording(tmp_path / "m.onnx", 1, {"x": np.zeros(1)})

    assert said in raised.value.message


def test_one_that_can_be_recorded_is_passed(monkeypatch, tmp_path):
    """It is told the model, the arrays and their names."""
    asked = []

    def run(command, **_):
        asked.extend(command)
        with np.load(command[-3]) as held:
            asked.append(held["arr_0"].tolist())
        return SimpleNamespace(returncode=0, stdout='{"hindrance": ""}\n', stderr="")

    monkeypatch.setattr(subprocess, "run", run)
    try_recording(tmp_path / "m.onnx", 2, {"file": np.ones(2)})

    assert [str(tmp_path / "m.onnx"), '["file"]', "2", [1.0, 1.0]] == [
        asked[-5], asked[-3], asked[-2], asked[-1],
    ]  # fmt: skip


def test_without_a_gpu_it_says_so(tmp_path):
    """A real process, which finds no provider."""
    with pytest.raises(StepInputError, match="cannot be recorded as a CUDA graph"):
        try_recording(tmp_path / "gone.onnx", 1, {"x": np.zeros(1, np.float32)})
