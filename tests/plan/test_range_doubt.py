"""INT8 that is asked for without a range."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from tests.helpers.models import model_of
from tests.helpers.projects import TINY, tiny_project
from trtbuild.plan.range_doubt import find_range_doubts
from trtbuild.recipe.load import examine_recipe

PAIR = (
    "g (float[2] x) => (float[2] y) { q = QuantizeLinear(x, s, z) y = DequantizeLinear(q, s, z) }"
)


@pytest.mark.parametrize(
    ("section", "word"), [("{}", "INT8"), ("{skip: [fc]}", "INT8"), ("{type: fp8}", "FP8")]
)
def test_no_range_at_all_is_a_warning(tmp_path, section, word):
    """Whatever else the section says."""
    recipe = tiny_project(tmp_path, TINY.replace("{ranges: {x: 1.0}}", section))

    (doubt,) = find_range_doubts(examine_recipe(recipe))

    assert (("quantization",), "warning") == (doubt.path, doubt.level)
    assert doubt.message.endswith(f"no layer becomes {word}")


def test_where_there_are_ranges_nothing_is_said(tmp_path):
    """By hand; or within a source that is quantized already; or in a model that is not here."""
    assert [] == list(find_range_doubts(examine_recipe(tiny_project(tmp_path))))

    recipe = tiny_project(tmp_path, TINY.replace("{ranges: {x: 1.0}}", "{}"))
    scale = {"s": np.float32(0.1), "z": np.int8(0)}
    onnx.save(model_of(PAIR, scale), tmp_path / "model.onnx")
    assert [] == list(find_range_doubts(examine_recipe(recipe)))

    (tmp_path / "model.onnx").unlink()
    assert [] == list(find_range_doubts(examine_recipe(recipe)))
