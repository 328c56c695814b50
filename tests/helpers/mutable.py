"""A small project with every sort of input that a recipe may name, and ways to change it."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from PIL import Image

from tests.helpers.models import model_of
from tests.helpers.projects import MODEL, edit

RECIPE = """\
version: 1
name: small
model: {kind: onnx, path: model.onnx}
fixes:
  - {kind: fold_constants}
data:
  calib:
    kind: images
    path: shots
    preprocess: {scale: 0.0078125, mean: [1.0]}
  eval: {kind: python, entrypoint: "samples.py:samples", options: {seed: 3}, packages: [samplelib]}
quantization:
  data: calib
  calibrator: {kind: percentile, percentile: 99.9}
  ranges: {b: 2.5}
  ranges_file: more.ranges
  skip: ["op:Gemm"]
profiles:
  - input: {min: [1, 3, 8, 8], opt: [2, 3, 8, 8], max: [4, 3, 8, 8]}
targets:
  rtx: {kind: tensorrt_rtx, compute_capabilities: [8.9], workspace: 256MiB}
compare:
  data: eval
  metrics: [cosine, sqnr_db]
  gates:
    - {metric: sqnr_db, at_least: 1}
"""

SAMPLES = '''\
"""Samples for the comparison."""

import numpy as np

from beside import draw
from pack.inner import SCALE


def samples(seed):
    random = np.random.default_rng(seed)
    for _ in range(4):
        yield {"input": draw(random) * np.float32(SCALE)}
'''

BESIDE = """\
import numpy as np


def draw(random):
    return random.normal(size=(3, 8, 8)).astype(np.float32)
"""


@dataclass
class Project:
    """A folder with `recipe.yaml` and all that it names."""

    folder: Path

    @property
    def recipe(self) -> Path:
        return self.folder / "recipe.yaml"

    def path(self, name: str) -> Path:
        return self.folder / name

    def edit(self, before: str, after: str, *, file: str = "recipe.yaml") -> None:
        edit(self.path(file), before, after)

    def copied(self, folder: Path) -> Project:
        shutil.copytree(self.folder, folder)
        return Project(folder)


def mutable_project(folder: Path) -> Project:
    """Write the project into a folder."""
    (folder / "shots").mkdir(parents=True)
    (folder / "pack").mkdir()
    random = np.random.default_rng(0)
    weights = {
        name: random.normal(0, 0.3, shape).astype(np.float32)
        for name, shape in {"w0": (8, 3, 3, 3), "w1": (8, 8, 3, 3), "w2": (4, 8)}.items()
    }
    onnx.save(model_of(MODEL, weights), folder / "model.onnx")
    for index in range(5):
        pixels = random.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"shots/{index}.png")
    texts = {
        "recipe.yaml": RECIPE,
        "samples.py": SAMPLES,
        "beside.py": BESIDE,
        "pack/__init__.py": "",
        "pack/inner.py": "SCALE = 1.0\n",
        "unrelated.py": "ANSWER = 42\n",
        "more.ranges": "d: 4.0\n",
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    return Project(folder)


def same_size_and_time(path: Path, before: bytes, after: bytes) -> None:
    """Change a file so that neither its size nor its modification time tells."""
    assert len(before) == len(after)
    stat, data = path.stat(), path.read_bytes()
    assert before in data
    path.write_bytes(data.replace(before, after))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def nudged(model: onnx.ModelProto, name: str) -> onnx.ModelProto:
    """Return the model with one weight moved by the least step there is."""
    (tensor,) = (each for each in model.graph.initializer if each.name == name)
    values = onnx.numpy_helper.to_array(tensor).copy()
    values.flat[0] = np.nextafter(values.flat[0], np.float32(np.inf))
    tensor.CopyFrom(onnx.numpy_helper.from_array(values, name))
    return model


def resaved(image: Path, *, pixel: bool) -> None:
    """Write a picture again, with one pixel changed or in other bytes with the same pixels."""
    pixels = np.asarray(Image.open(image)).copy()
    if pixel:
        pixels[3, 4, 1] ^= 1
    Image.fromarray(pixels).save(image, compress_level=0 if not pixel else 6)
