"""What a search knows of the model: the work of its layers, and what it takes at once."""

from __future__ import annotations

import onnx
import pytest

from tests.helpers.tuning import needy_project
from trtbuild.core.records import RequestedLayer
from trtbuild.core.values import TensorSpec
from trtbuild.data.base import Manifest
from trtbuild.quant.account import QuantizationAccount
from trtbuild.recipe.load import load_recipe
from trtbuild.verbs.tuning.tuned_model import TunedModel


def model_with(folder, batch):
    recipe = load_recipe(needy_project(folder, batch=batch)).recipe
    spec = TensorSpec(name="x", dtype="float32", shape=(8,))
    data = Manifest(count=16, samples=(), tensors=(spec,), labelled=False)
    return TunedModel(onnx.load(folder / "model.onnx"), recipe, data)


@pytest.mark.parametrize(("batch", "expected"), [("batch", 1), ("16", 16)])
def test_what_a_run_takes_is_what_the_model_fixes(tmp_path, batch, expected):
    """One sample where that is left open."""
    assert expected == model_with(tmp_path, batch).batch


def test_the_share_in_int8_is_by_work(tmp_path):
    """Of 64, 64 and 32 multiply-accumulates; by layers where nobody knows their work."""
    made = model_with(tmp_path, "batch")

    def share(*names):
        precisions = ("fp32", "int8", "int8")
        layers = tuple(
            RequestedLayer(name=name, op="MatMul", precision=precision)
            for name, precision in zip(names, precisions, strict=True)
        )
        return made.find_share(QuantizationAccount(opset=19, layers=layers, tensors=(), weights=()))

    assert {"first": 64, "second": 64, "third": 32} == dict(made.macs)
    assert (0.6, pytest.approx(2 / 3)) == (share("first", "second", "third"), share("a", "b", "c"))


def test_only_a_detector_has_a_head(tmp_path):
    """One whose detections are measured."""
    assert () == model_with(tmp_path, "batch").head
