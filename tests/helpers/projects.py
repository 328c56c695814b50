"""A small project on disk: a recipe, an ONNX model and arrays; everything about it is real."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from tests.helpers.models import model_of

MODEL = """
small (float[batch, 3, 8, 8] input) => (float[batch, 4] logits) {
  a = Conv <pads: ints = [1, 1, 1, 1]> (input, w0)
  b = Relu (a)
  c = Conv <pads: ints = [1, 1, 1, 1]> (b, w1)
  d = Add (c, b)
  e = Relu (d)
  f = GlobalAveragePool (e)
  g = Flatten (f)
  logits = Gemm <transB: int = 1> (g, w2)
}
"""

RECIPE = """\
version: 1
name: small
model: {kind: onnx, path: model.onnx}
fixes:
  - {kind: fold_constants}
data:
  calib: {kind: arrays, path: calib.npz}
  eval: {kind: arrays, path: eval.npz, labels: label}
quantization:
  data: calib
  calibrator: {kind: minmax}
profiles:
  - input: {min: [1, 3, 8, 8], opt: [2, 3, 8, 8], max: [4, 3, 8, 8]}
targets:
  rtx: {kind: tensorrt_rtx, compute_capabilities: [8.9], workspace: 256MiB}
compare:
  data: eval
  metrics: [cosine, sqnr_db, top1]
  gates:
    - {metric: sqnr_db, at_least: 10}
"""


def small_project(folder: Path) -> Path:
    """Write the project into a folder and return its recipe."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    weights = {
        name: random.normal(0, 0.3, shape).astype(np.float32)
        for name, shape in {"w0": (8, 3, 3, 3), "w1": (8, 8, 3, 3), "w2": (4, 8)}.items()
    }
    onnx.save(model_of(MODEL, weights), folder / "model.onnx")
    samples = random.normal(size=(12, 3, 8, 8)).astype(np.float32)
    np.savez(folder / "calib.npz", input=samples[:6])
    np.savez(folder / "eval.npz", input=samples[6:], label=np.arange(6) % 4)
    recipe = folder / "recipe.yaml"
    recipe.write_text(RECIPE)
    return recipe


def started(recipe: Path, store: Path, **options: Any) -> subprocess.Popen[str]:
    """Start an apply in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "trtbuild", "apply", str(recipe)],
        cwd=recipe.parent,
        env={**os.environ, "TRTBUILD_STORE": str(store)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        **options,
    )


def edit(recipe: Path, before: str, after: str) -> Path:
    """Replace a text in a recipe; it must be there."""
    text = recipe.read_text()
    assert before in text
    recipe.write_text(text.replace(before, after))
    return recipe


TINY = """\
version: 1
name: tiny
model: {kind: onnx, path: model.onnx}
quantization: {ranges: {x: 1.0}}
targets:
  ort: {kind: onnxruntime}
"""


def tiny_project(folder: Path, text: str = TINY) -> Path:
    """Write a project of one layer, whose range is given: it needs no data, and builds at once."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {"w": np.arange(-6, 6, dtype=np.float32).reshape(4, 3)}
    model = model_of("g (float[2,4] x) => (float[2,3] y) { [fc] y = MatMul(x, w) }", weights)
    onnx.save(model, folder / "model.onnx")
    recipe = folder / "recipe.yaml"
    recipe.write_text(text)
    return recipe
