"""How far new weights move values: two models of one product, held to each other by hand."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from tests.helpers.models import model_of
from tests.steps.test_calibrate_natively import captured
from trtbuild.core.digest import digest_of_file
from trtbuild.core.drift import Drift, TensorDrift
from trtbuild.core.values import Range, Ranges
from trtbuild.steps.base import Context, Pinned, Ref
from trtbuild.steps.measure_drift import MeasureDrift

NET = "g (float[n,2] x) => (float[n,1] y) { [fc] a = MatMul(x, w) y = Relu(a) }"
ROWS = np.array([[1, 0], [3, 0], [0, 2], [5, 0]], np.float32)


@pytest.mark.parametrize(("samples", "largest"), [(4, 5.0), (2, 2.0)])
def test_values_of_both_models_are_told_of_what_has_a_range(tmp_path, samples, largest):
    """y = x·w: the weights twice as large, the values too; on as many samples as are asked for."""
    np.savez(tmp_path / "c.npz", x=ROWS)
    data = captured(tmp_path)
    for name, weights in (("old", [[1], [1]]), ("new", [[2], [2]])):
        onnx.save(model_of(NET, {"w": np.array(weights, np.float32)}), tmp_path / name)
    table = {n: Range(low=-4, high=4, origin="calibrated") for n in ("a", "x", "gone")}
    (tmp_path / "ranges").write_text(Ranges(tensors=table).model_dump_json())
    (tmp_path / "out").mkdir()
    old = Pinned(path=str(tmp_path / "old"), digest=digest_of_file(tmp_path / "old"))
    step = MeasureDrift(
        before=old,
        after=Ref(step="fix_graph", output="model"),
        ranges=Ref(step="quantize", output="ranges"),
        data=data,
        samples=samples,
    )
    inputs = {
        "fix_graph/model": tmp_path / "new",
        "quantize/ranges": tmp_path / "ranges",
        "capture/manifest": tmp_path / "capture/manifest.json",
        "capture/samples": tmp_path / "capture/samples.npz",
    }
    step.run(Context(inputs=inputs, out=tmp_path / "out"))

    found = Drift.model_validate_json((tmp_path / "out/drift.json").read_bytes())
    assert samples == found.samples
    assert (
        TensorDrift(name="a", before=largest, after=2 * largest, limit=4),
        TensorDrift(name="x", before=largest, after=largest, limit=4),
    ) == found.tensors
