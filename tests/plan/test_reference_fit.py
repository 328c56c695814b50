"""Whether a reference fits the model that is compared with it."""

from __future__ import annotations

import pytest

from tests.helpers.projects import edit, small_project
from trtbuild.core.values import Signature, TensorSpec
from trtbuild.plan.reference_fit import find_reference_problems
from trtbuild.recipe.load import load_recipe


def signature(shape, *outputs):
    spec = TensorSpec(name="input", dtype="float32", shape=shape)
    made = tuple(TensorSpec(name=name, dtype="float32", shape=("n", 4)) for name in outputs)
    return Signature(inputs=(spec,), outputs=made, tensors=(), nodes=())


@pytest.mark.parametrize(
    ("expected", "shape", "outputs"),
    [
        ([], ("n", 3, 8), ("y",)),
        ([], (1, "c", 8), ("y",)),
        (["its input `input` is [n, 3, 9], the model's [n, 3, 8]"], ("n", 3, 9), ("y",)),
        (["its input `input` is [n, 3], the model's [n, 3, 8]"], ("n", 3), ("y",)),
        (["it has no output `y`, but `z`"], ("n", 3, 8), ("z",)),
        (["its output `z` is none of the model's"], ("n", 3, 8), ("y", "z")),
    ],
)
def test_inputs_and_outputs_are_the_same(tmp_path, expected, shape, outputs):
    """Batches may differ, and dimensions that are open for one; one problem says all the rest."""
    reference = "  reference: {kind: onnx, path: other.onnx}\n"
    recipe = load_recipe(
        edit(small_project(tmp_path), "  data: eval\n", "  data: eval\n" + reference)
    )
    model, other = signature(("n", 3, 8), "y"), signature(shape, *outputs)
    found = list(find_reference_problems(recipe, model, other))

    assert expected == [each.message.split("fit the model: ")[1] for each in found]
    assert all(each.path == ("compare", "reference") for each in found)
