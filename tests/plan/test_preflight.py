"""What is said of a recipe that does not fit its model."""

from __future__ import annotations

import pytest

from tests.helpers.projects import edit, small_project
from trtbuild.core.values import NodeSpec, Signature, TensorSpec
from trtbuild.data.base import Manifest
from trtbuild.plan.preflight import find_model_problems
from trtbuild.recipe.load import load_recipe

SIGNATURE = Signature(
    inputs=(TensorSpec(name="input", dtype="float32", shape=("batch", 3, 8, 8)),),
    outputs=(TensorSpec(name="logits", dtype="float32", shape=("batch", 4)),),
    tensors=("input", "a", "logits"),
    nodes=(NodeSpec(name="a", op="Conv"), NodeSpec(name="logits", op="Gemm")),
)


PROFILE = "  - input: {min: [1, 3, 8, 8], opt: [2, 3, 8, 8], max: [4, 3, 8, 8]}\n"
AGREEING = """\
  - input: {min: [1, 3, 8], opt: [2, 3, 8], max: [4, 9, 8]}
    mask:
      min: [1, 3, 1]
      opt: [2, 3, 9]
      max: [4, 9, 9]
"""


def said_of(profile, recipe, *shapes):
    """Return what is said of a profile for inputs of these shapes, and at which text."""
    inputs = tuple(
        TensorSpec(name=name, dtype="float32", shape=shape)
        for name, shape in zip(("input", "mask"), shapes, strict=False)
    )
    signature = SIGNATURE.model_copy(update={"inputs": inputs})
    found = list(find_model_problems(load_recipe(edit(recipe, PROFILE, profile)), signature, {}))
    lines = recipe.read_text().splitlines()
    return [(lines[each.mark.line - 1].strip(), each.message) for each in found if each.mark]


TWO = (("batch", "length", 8), ("batch", "length", "mask_dim_2"))


def test_dimensions_of_one_name_may_have_one_size(tmp_path):
    """In two inputs; dimensions without a name are each their own."""
    assert [] == said_of(AGREEING, small_project(tmp_path), *TWO)


def test_dimensions_of_one_name_in_two_sizes_are_a_problem(tmp_path):
    """The builder would refuse them, after a calibration, and not say where they stand."""
    profile = AGREEING.replace("opt: [2, 3, 9]", "opt: [2, 5, 9]")
    message = (
        "`mask`: axis 1 is 5, and axis 1 of `input` is 3; the model calls both `length`, so they "
        "are one size"
    )

    assert [("opt: [2, 5, 9]", message)] == said_of(profile, small_project(tmp_path), *TWO)


def test_two_dimensions_of_one_input_may_share_a_name_too(tmp_path):
    """A square picture: side and side."""
    profile = PROFILE.replace("max: [4, 3, 8, 8]", "max: [4, 3, 8, 16]")
    [(_, message)] = said_of(profile, small_project(tmp_path), ("batch", 3, "side", "side"))

    assert message.startswith("`input`: axis 3 is 16, and axis 2 of `input` is 8")


@pytest.mark.parametrize(
    ("taken", "given", "said"),
    [
        ("float16", "float16", []),
        ("float16", "float32", []),
        ("float16", "float64", ["make the arrays float16"]),
        ("float32", "float16", ["make the arrays float32"]),
        (
            "bfloat16",
            "float32",
            ["NumPy has no such arrays: export the model in float16, or give ranges without data"],
        ),
    ],
)
def test_float32_data_is_rounded_for_a_float16_model(taken, given, said, tmp_path):
    """Pictures come as float32; nothing else is converted."""
    spec = SIGNATURE.inputs[0].model_copy(update={"dtype": taken})
    tensor = TensorSpec(name="input", dtype=given, shape=(3, 8, 8))
    manifest = Manifest(count=1, samples=("",), tensors=(tensor,), labelled=False)
    signature = SIGNATURE.model_copy(update={"inputs": (spec,)})

    assert said == [
        problem.hint
        for problem in find_model_problems(
            load_recipe(small_project(tmp_path)), signature, {"calib": manifest}
        )
    ]


def test_the_outputs_of_a_detectors_layout_are_there(tmp_path):
    """Before anything is built, at the line of the layout."""
    layout = "{kind: ssd, boxes: y, scores: z}"
    recipe = small_project(tmp_path)
    text = recipe.read_text()
    metric = f"compare: {{data: eval, metrics: [{{kind: detection, layout: {layout}}}]}}"
    recipe.write_text(text[: text.index("compare:")] + metric + "\n")

    said = [each.message for each in find_model_problems(load_recipe(recipe), SIGNATURE, {})]

    assert "the model has no output `z`" in said


def test_a_gate_may_name_a_tensor_in_front_of_a_plugin(tmp_path):
    """It is compared in the place of outputs; without a plugin nothing but outputs is."""
    gate = "compare: {data: eval, gates: [{metric: sqnr_db, output: a, at_least: 9}]}"
    recipe = small_project(tmp_path)
    text = recipe.read_text()
    recipe.write_text(text[: text.index("compare:")] + gate + "\n")
    behind = NodeSpec(name="logits", op="EfficientNMS_TRT")
    cut = SIGNATURE.model_copy(update={"nodes": (SIGNATURE.nodes[0], behind)})

    said = [
        [each.message for each in find_model_problems(load_recipe(recipe), signature, {})]
        for signature in (SIGNATURE, cut)
    ]

    assert [["the model has no output `a`"], []] == said
