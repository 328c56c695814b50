"""A small model of which one layer alone is bad in INT8, whatever else is done, and its recipe."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from tests.helpers.models import model_of
from trtbuild.verbs.tuning.candidates import TuningStage

NEEDY = """
needy (float[batch, 8] x) => (float[batch, 4] y) {
  [first] a = MatMul (x, w0)
  b = Relu (a)
  [second] c = MatMul (b, w1)
  d = Relu (c)
  [third] y = MatMul (d, w2)
}
"""

RECIPE = """\
version: 1
name: needy
model: {kind: onnx, path: model.onnx}
data:
  calib: {kind: arrays, path: calib.npz}
  eval: {kind: arrays, path: eval.npz, labels: label}
  third: {kind: arrays, path: third.npz}
quantization:
  data: calib
  calibrator: {kind: minmax}   # no value is far out

# one is enough
targets:
  ort: {kind: onnxruntime}
compare:
  data: eval
  metrics: [sqnr_db]
  gates:
    - {metric: sqnr_db, at_least: 25}
"""
LOUD = 500.0


def needy_project(folder: Path, *, batch: str = "batch") -> Path:
    """Write the project into a folder and return its recipe.

    The first number of a sample is 500 times as large as the others, and counts no more than they:
    one scale for all leaves nothing of the others, and nothing in front of it could trade. `batch`
    is how many samples the model takes at once, or a name where that is open.
    """
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    shapes = {"w0": (8, 8), "w1": (8, 8), "w2": (8, 4)}
    weights = {
        name: random.normal(0, 0.4, shape).astype(np.float32) for name, shape in shapes.items()
    }
    weights["w0"][0] /= LOUD
    onnx.save(model_of(NEEDY.replace("batch", batch), weights), folder / "model.onnx")
    for name in ("calib", "eval", "third"):
        samples = random.normal(size=(16, 8)).astype(np.float32)
        samples[:, 0] *= LOUD
        labels = {"label": np.arange(16) % 4} if name == "eval" else {}
        np.savez(folder / f"{name}.npz", x=samples, **labels)
    recipe = folder / "recipe.yaml"
    recipe.write_text(RECIPE)
    return recipe


@pytest.fixture
def few_stages(monkeypatch):
    """Of what costs nothing at run time, only the weights' limits are tried."""
    weights = TuningStage([("weights: mse", {"weights": {"kind": "mse"}})])
    monkeypatch.setattr(
        "trtbuild.verbs.tuning.tune.list_stages", lambda *_: [weights, TuningStage([])]
    )
