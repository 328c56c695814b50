"""TensorRT calibrates, and its table comes back as ours."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.helpers.models import model_of
from trtbuild.core.errors import StepInputError
from trtbuild.core.values import Ranges
from trtbuild.steps import calibrate_natively
from trtbuild.steps.base import Context, QuietEvents
from trtbuild.steps.calibrate_natively import CalibrateNatively
from trtbuild.steps.capture_data import CaptureData, DataInput

MODEL = "net (float[N, 4] x) => (float[N, 4] y) { [act] y = Relu(x) }"
CACHE = b"TRT-101601-EntropyCalibration2\nx: 3c010204\ny: 3c810204\n(Unnamed Layer* 3): 3c010204\n"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the step on samples, with a calibration that takes every batch; returns what it saw."""

    def ran(*, samples, batch, calibrator=None):
        (tmp_path / "m.onnx").write_bytes(model_of(MODEL).SerializeToString())
        np.savez(tmp_path / "c.npz", x=np.ones((samples, 4), np.float32))
        data = captured(tmp_path)
        seen = {}

        def calibrate(target, model, work, *, loader, **more):
            seen.update(more, batches=[feed["x"].shape for feed in loader])
            loader.demand_all()
            return CACHE

        monkeypatch.setattr(calibrate_natively, "calibrate_with_tensorrt", calibrate)
        step = CalibrateNatively.model_validate_json(
            json.dumps(
                {
                    "model": {"step": "fix_graph", "output": "model"},
                    "data": json.loads(data.model_dump_json()),
                    "calibrator": calibrator or {"kind": "entropy2"},
                    "backend": {"kind": "tensorrt10"},
                    "opt": {"x": [batch, 4]},
                }
            )
        )
        out = tmp_path / "out"
        out.mkdir()
        inputs = {
            "fix_graph/model": tmp_path / "m.onnx",
            "capture/manifest": tmp_path / "capture/manifest.json",
            "capture/samples": tmp_path / "capture/samples.npz",
        }
        step.run(Context(inputs=inputs, out=out, events=QuietEvents()))
        return seen, Ranges.model_validate_json((out / "ranges.json").read_text()), out

    return ran


def captured(tmp_path):
    """Capture c.npz; returns it as an input."""
    from trtbuild.core.digest import digest_of_file
    from trtbuild.data.arrays import Arrays
    from trtbuild.steps.base import Pinned, Ref

    path = tmp_path / "c.npz"
    files = (Pinned(path=str(path), digest=digest_of_file(path)),)
    source = Arrays.model_validate_json(json.dumps({"kind": "arrays", "path": "c.npz"}))
    (tmp_path / "capture").mkdir()
    CaptureData(source=source, files=files).run(Context(inputs={}, out=tmp_path / "capture"))
    return DataInput(
        source=source,
        files=files,
        manifest=Ref(step="capture", output="manifest"),
        stored=Ref(step="capture", output="samples"),
    )


def test_the_native_table_comes_back(run):
    """By the model's names, with TensorRT's word for how; the cache as it was written."""
    seen, ranges, out = run(samples=4, batch=2)

    assert [(2, 4), (2, 4)] == seen["batches"]
    assert {"x": ((2, 4),) * 3} == seen["profile"]
    assert ["x", "y"] == list(ranges.tensors)
    assert (4, pytest.approx(1.0), pytest.approx(2.0)) == (
        ranges.samples,
        ranges.tensors["x"].limit,
        ranges.tensors["y"].limit,
    )
    assert "entropy2 (TensorRT 10.16.1)" == ranges.tensors["x"].calibrator
    assert CACHE == (out / "calibration.cache").read_bytes()


def test_the_legacy_calibrator_gets_its_numbers(run):
    """Quantile and cutoff are the recipe's, not Polygraphy's 0.5; the table says which."""
    legacy = {"kind": "legacy", "quantile": 0.99, "regression_cutoff": 0.75}

    asked, ranges, _ = run(samples=2, batch=2, calibrator=legacy)

    assert {"quantile": 0.99, "regression_cutoff": 0.75} == asked["options"]
    assert (
        "entropy2 (TensorRT 10.16.1) (quantile: 0.99, regression_cutoff: 0.75)"
        == ranges.tensors["x"].found_by
    )


def test_a_last_batch_that_is_short_is_an_error_before_the_build(run):
    """TensorRT takes whole batches alone."""
    with pytest.raises(StepInputError, match="takes 2 samples at once, and 5 samples"):
        run(samples=5, batch=2)
