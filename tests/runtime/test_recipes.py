"""What is built of a recipe is run as the recipe says."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.helpers.models import model_of
from trtbuild.core.errors import MissingFile, StepInputError, UsageError
from trtbuild.recipe.load import load_recipe
from trtbuild.runtime import recipes
from trtbuild.runtime.engine import Engine
from trtbuild.runtime.recipes import open_built

TARGETS = {
    "rtx": {
        "kind": "tensorrt_rtx",
        "runtime": {"graphs": False, "specialize": "none", "cache": "kernels"},
    },
    "trt": {"kind": "tensorrt11", "plugins": ["a.so"], "runtime": {"graphs": False}},
}


@pytest.fixture
def built(tmp_path):
    """A recipe with two engines that nothing here runs, and its model."""
    recipe = {
        "version": 1,
        "name": "net",
        "model": {"kind": "onnx", "path": "m.onnx"},
        "targets": TARGETS,
    }
    (tmp_path / "net.yaml").write_text(json.dumps(recipe))
    for name in TARGETS:
        (tmp_path / "build/net" / name).mkdir(parents=True)
        (tmp_path / "build/net" / name / "model.engine").write_bytes(b"engine")
    model = model_of("net (float[n,2] x) => (float[n,2] y) { y = Add(x, x) }")
    (tmp_path / "build/net/model.fp32.onnx").write_bytes(model.SerializeToString())
    return tmp_path


def test_engines_are_tried_as_their_targets_say(built, monkeypatch):
    """Settings, cache and plugins, which lie beside the recipe; where none runs, the model does."""
    asked = []

    def take(path, **more):
        if path.suffix == ".onnx":
            return Engine(path, **more)
        asked.append(more)
        raise StepInputError("it is of another GPU", hint="")

    monkeypatch.setattr(recipes, "Engine", take)
    with open_built(load_recipe(built / "net.yaml"), built / "build") as engine:
        assert [[2, 4]] == engine.run({"x": np.float32([[1, 2]])})["y"].tolist()
        assert ("it is of another GPU",) * 2 == engine.why

    rtx, trt = asked
    assert (False, "none", built / "kernels") == (rtx["graphs"], rtx["specialize"], rtx["cache"])
    assert (False, "lazy", None) == (trt["graphs"], trt["specialize"], trt["cache"])
    assert [built / "a.so"] == trt["plugins"]


def test_what_is_not_built_is_told(built):
    """With the command that builds it."""
    with pytest.raises(MissingFile, match="net: holds no model; the recipe is not built there"):
        open_built(load_recipe(built / "net.yaml"), built / "elsewhere")


def test_what_is_built_is_held_to_the_recipe_as_it_stands(built):
    """What is not known of it is said; what is of another recipe is not run."""
    recipe, asked = load_recipe(built / "net.yaml"), []

    def doubt(loaded, file):
        asked.append((loaded.recipe.name, file.name))
        return "it was not built here"

    def refuse(loaded, file):
        raise UsageError(f"{file}: was built, but not from {loaded.file}")

    with open_built(recipe, built / "build", device="cpu", doubt=doubt) as engine:
        assert ("it was not built here",) == engine.why
    assert [("net", "model.fp32.onnx")] == asked
    with pytest.raises(UsageError, match="but not from"):
        open_built(recipe, built / "build", device="cpu", doubt=refuse)
