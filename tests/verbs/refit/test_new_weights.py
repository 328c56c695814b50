"""A recipe that takes its weights from another file."""

from __future__ import annotations

import json

import pytest

from trtbuild.core.errors import MissingFile, UsageError
from trtbuild.recipe.load import load_recipe
from trtbuild.verbs.refit.new_weights import give_weights

ZEROS = "0" * 64


@pytest.fixture
def given(tmp_path):
    """Return the model's section with other weights, as JSON has it."""

    def run(model):
        recipe = {
            "version": 1,
            "name": "r",
            "model": model,
            "targets": {"it": {"kind": "onnxruntime"}},
        }
        (tmp_path / "r.yaml").write_text(json.dumps(recipe))
        (tmp_path / "new").write_bytes(b"")
        found = give_weights(load_recipe(tmp_path / "r.yaml"), tmp_path / "new")
        return json.loads(found.recipe.model.model_dump_json(exclude_none=True)), tmp_path

    return run


def test_of_a_model_in_one_file_it_is_that_file(given):
    """A digest that was demanded of the old one is not of the new one."""
    found, folder = given({"kind": "onnx", "url": "https://x.org/m.onnx", "sha256": ZEROS})

    assert {"kind": "onnx", "path": str(folder / "new")} == found


def test_of_a_module_it_is_its_weights(given):
    """Which entry of a checkpoint holds them stays said."""
    weights = {"url": "https://x.org/w.pt", "sha256": ZEROS, "key": "ema"}
    model = {"kind": "torch", "entrypoint": "m.py:f", "weights": weights,
             "inputs": {"x": {"shape": [1, 3]}}}  # fmt: skip
    found, folder = given(model)

    assert {"path": str(folder / "new"), "key": "ema"} == found["weights"]


def test_a_model_that_names_none_is_refused(given, tmp_path):
    """Its own code loads them; so is a file that is not there."""
    with pytest.raises(UsageError, match=r"\(kind: torch\) names no file of weights"):
        given({"kind": "torch", "entrypoint": "m.py:f", "inputs": {"x": {"shape": [1, 3]}}})
    with pytest.raises(MissingFile):
        give_weights(load_recipe(tmp_path / "r.yaml"), tmp_path / "none")
