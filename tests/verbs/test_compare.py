"""Two models or engines, run and compared; a GPU is made up, and an engine's outputs on it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from tests.helpers.executors import WithMadeUpGpu
from tests.helpers.models import model_of
from trtbuild import api
from trtbuild.core.errors import NotWritable
from trtbuild.core.values import TensorSpec
from trtbuild.plan.pair import PairSide
from trtbuild.run.inline import Inline
from trtbuild.verbs import compare, pair_sides

L4 = "NVIDIA L4 (8.9)"
RAN = f"TensorRT 10.16.1.11 on {L4}"
X = np.float32([[1, 2], [3, 4]])


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRTBUILD_STORE", str(tmp_path / "store"))
    onnx.save(model_of("g (float[n, 2] x) => (float[n, 2] y) { y = Relu(x) }"), "a.onnx")
    np.savez("x.npz", x=X)
    for name in "ab":
        Path(f"{name}.engine").write_bytes(name.encode())


@pytest.fixture
def engines(monkeypatch):
    """Files called engines are taken for engines that run here."""
    x, y = (TensorSpec(name=name, dtype="float32", shape=("?", 2)) for name in "xy")

    def opened(path, executor, *, plugins=()):
        if path.suffix != ".engine":
            return pair_sides.open_side(path, executor, plugins=plugins)
        side = PairSide(path, str(path), "tensorrt_rtx", {"gpu": L4})
        return pair_sides.OpenSide(side, (x,), (y,))

    monkeypatch.setattr(compare, "open_side", opened)
    return WithMadeUpGpu(L4, {"y": 1.01 * X}, version="TensorRT 10.16.1.11")


def figure(found, metric):
    return next(each.value for each in found.comparison.measures if each.metric == metric)


def test_an_engine_is_compared_with_a_model(engines):
    """A hundredth of the signal is noise: 40 dB. Each side says what ran it."""
    found = api.compare("a.onnx", "b.engine", data="x.npz", executor=engines, out="out")

    assert 40 == pytest.approx(figure(found, "sqnr_db"), abs=0.01)
    assert ("engine b.engine", RAN) == (found.comparison.candidate, found.comparison.runner)
    assert "a.onnx (FP32) (ONNX Runtime on the CPU)" == found.comparison.reference
    assert "these numbers are the engine's" in Path("out/report.md").read_text()


def test_a_model_is_compared_with_an_engine(engines):
    """Whose numbers are whose is said; the type of an engine's is not known."""
    found = api.compare("b.engine", "a.onnx", data="x.npz", executor=engines, out="out")

    assert f"engine b.engine ({RAN})" == found.comparison.reference
    assert ("reference", "a.onnx") == (found.comparison.reference_type, found.comparison.candidate)
    assert "these numbers are the model's" in Path("out/report.md").read_text()


def test_two_engines_are_compared(engines):
    """What ran both is said once."""
    found = api.compare("a.engine", "b.engine", data="x.npz", executor=engines, metrics=["max_abs"])

    assert 0 == figure(found, "max_abs")
    assert ("engine a.engine", RAN) == (found.comparison.reference, found.comparison.runner)
    assert found.passed


def test_gates_hold_against_a_reference_of_any_type():
    """Which of the two is right is the caller's to say, and that one is quantized is shown."""
    arrays = {"s": np.float32(0.5), "z": np.int8(0)}
    text = """
    g (float[n, 2] x) => (float[n, 2] y) {
        q = QuantizeLinear(x, s, z)
        d = DequantizeLinear(q, s, z)
        y = Relu(d)
    }
    """
    onnx.save(model_of(text, arrays), "q.onnx")
    found = api.compare("q.onnx", "a.onnx", data="x.npz", gates=["max_abs <= 0"], executor=Inline())

    assert "q.onnx (INT8 Q/DQ)" == found.comparison.reference
    assert [(True, True)] == [(each.judged, each.passed) for each in found.comparison.verdicts]


def test_a_report_that_cannot_be_written_is_told_first():
    """Before anything runs."""
    Path("out").touch()

    with pytest.raises(NotWritable, match="--out out"):
        api.compare("a.onnx", "a.onnx", data="x.npz", executor=Inline(), out="out")
    assert not Path("store/actions").exists()


def test_labels_that_nothing_reads_are_remarked_on():
    """Who names them expects something of them."""
    np.savez("l.npz", x=X, label=[0, 1])
    note = "the labels are read by no metric: add --metric top1, or one with options"

    for metrics in ([], ["top1"], ["classification"]):
        found = api.compare(
            "a.onnx", "a.onnx", data="l.npz", labels="label", metrics=metrics, executor=Inline()
        )
        assert (not metrics) == (note in found.record.notes)
