"""A built recipe whose model says which colour a picture has most of, and a pipeline of it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.helpers.models import model_of
from tests.verbs.packaging.conftest import make_result
from trtbuild.pipeline.item import Item
from trtbuild.pipeline.load import load_pipeline
from trtbuild.pipeline.run import run_pipeline

MEAN = "net (float[n,3,4,4] x) => (float[n,3] y) { z = GlobalAveragePool(x) y = Flatten(z) }"
CODE = """
def halve(item):
    '''Look at the upper and the lower half.'''
    middle = item.picture.shape[0] // 2
    item.pictures = [item.picture[:middle], item.picture[middle:]]
    item.values["halves"] = 2
    return item

def none(item):
    '''Find nothing to look at.'''
    item.pictures = []
    return item

def odd(item):
    return item if item.number % 2 else None

def fail(item):
    raise ValueError("no")

def wrong(item):
    return 7

def leave(item):
    raise SystemExit(3)

def empty(item):
    item.pictures = [item.picture[2:2]]
    return item

seen = []

def late(item):
    seen.append(item)
    return seen[-2] if len(seen) > 1 else item

def nan(item):
    item.values |= {"a": float("nan"), "b": [1, float("inf")]}
    return item
"""


@pytest.fixture
def project(tmp_path):
    recipe = {
        "version": 1,
        "name": "mean",
        "model": {"kind": "onnx", "path": "m.onnx"},
        "data": {
            "photos": {
                "kind": "images",
                "path": "none",
                "input": "x",
                "preprocess": {"resize": [4, 4]},
            }
        },
        "targets": {"it": {"kind": "onnxruntime"}},
        "compare": {"data": "photos", "metrics": ["top1_agreement"]},
    }
    (tmp_path / "mean.yaml").write_text(json.dumps(recipe))
    (tmp_path / "code.py").write_text(CODE)
    folder = tmp_path / "build/mean"
    folder.mkdir(parents=True)
    data = model_of(MEAN).SerializeToString()
    (folder / "model.fp32.onnx").write_bytes(data)
    (folder / "it").mkdir()
    (folder / "it/model.engine").write_bytes(data)
    told = make_result("it", "onnxruntime", "1.0", ("cpu",), data)
    (folder / "it/engine.json").write_text(told.model_dump_json())
    return tmp_path


@pytest.fixture
def run(project):
    """Run stages on frames; return how it went, and the lines of JSON."""

    def ran(stages, frames, **results):
        told = {
            "version": 1,
            "source": {"kind": "folder", "path": "none"},
            "stages": stages,
            "results": {"json_lines": "out.jsonl", **results},
        }
        (project / "p.yaml").write_text(json.dumps(told))
        found = run_pipeline(load_pipeline(project / "p.yaml"), project / "build", frames=frames)
        lines = (project / "out.jsonl").read_text().splitlines()
        return found, [json.loads(line) for line in lines]

    return ran


def paint(count, size=(8, 8)):
    """Frames that are red, green, blue, red, ..."""
    for number in range(count):
        picture = np.zeros((*size, 3), np.uint8)
        picture[..., number % 3] = 255
        yield Item(number, f"f{number}", picture)
