"""A build folder made by hand: a model that is real, engines that are not."""

from __future__ import annotations

import json

import pytest

from tests.helpers.models import model_of
from trtbuild.core.digest import digest_of_bytes
from trtbuild.core.records import TargetResult
from trtbuild.recipe.load import load_recipe
from trtbuild.verbs.packaging.placed_build import read_build

MEAN = "net (float[n,3,h,w] x) => (float[n,3] y) { z = GlobalAveragePool(x) y = Flatten(z) }"
PROFILE = {"x": {"min": [1, 3, 4, 4], "opt": [2, 3, 6, 6], "max": [8, 3, 8, 8]}}


def make_result(target, backend, version, capabilities, engine):
    return TargetResult(
        target=target,
        backend=backend,
        versions={backend: version, "polygraphy": "0"},
        engine_digest=digest_of_bytes(engine),
        engine_size_bytes=len(engine),
        model_digest="sha256:0",
        built_for=capabilities,
        inputs=({"name": "x", "dtype": "float32", "shape": ["n", 3, "h", "w"]},),
        outputs=({"name": "y", "dtype": "float32", "shape": ["n", 3]},),
        profiles=(PROFILE,),
        options={},
        layers=(),
        asked_int8=0,
        delivered_int8=0,
    )


@pytest.fixture
def place(tmp_path):
    """Lay out a build, of engines (target, backend, version, capabilities); return it, read."""

    def placed(*engines, runtime=None, **sections):
        how = {"workspace": "1GiB"} | ({"runtime": runtime} if runtime else {})
        recipe = {
            "version": 1,
            "name": "mean",
            "model": {"kind": "onnx", "path": "m.onnx"},
            "profiles": [PROFILE],
            "targets": {
                name: {"kind": kind, **how} for name, kind, *_ in engines
            } | {"it": {"kind": "onnxruntime"}},
        } | sections  # fmt: skip
        (tmp_path / "r.yaml").write_text(json.dumps(recipe))
        model = model_of(MEAN).SerializeToString()
        (tmp_path / "m.onnx").write_bytes(model)
        folder = tmp_path / "build/mean"
        for name, kind, version, capabilities in engines:
            (folder / name).mkdir(parents=True)
            data = f"engine {name}".encode()
            (folder / name / "model.engine").write_bytes(data)
            told = make_result(name, kind, version, capabilities, data)
            (folder / name / "engine.json").write_text(told.model_dump_json())
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "model.fp32.onnx").write_bytes(model)
        if "variants" in sections:
            return None  # each of them is read by its own name
        loaded = load_recipe(tmp_path / "r.yaml")
        return read_build(loaded, tmp_path / "build", targets=(), doubt=lambda *_: "")

    return placed
