"""What is said of a recipe that does not fit its model."""

from __future__ import annotations

import pytest

from tests.helpers.projects import edit, small_project
from trtbuild.core.values import NodeSpec, Signature, TensorSpec
from trtbuild.data.base import Manifest, SizeSpan
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


SHAPED = SIGNATURE.model_copy(
    update={
        "inputs": (*SIGNATURE.inputs, TensorSpec(name="size", dtype="int64", shape=(2,))),
        "shape_inputs": {"size": "up (Resize)"},
    }
)
VALUES = PROFILE + "    size: {values: true, min: [8, 8], opt: [8, 8], max: [16, 16]}\n"


def problems(signature, recipe, tensors=(), sizes=(), *, data="calib"):
    """Return message and hint of each problem; the data is given by its tensors, if there are."""
    manifest = Manifest(
        count=1, samples=("",), tensors=tuple(tensors), labelled=False, sizes=tuple(sizes)
    )
    manifests = {data: manifest} if tensors else {}
    found = find_model_problems(load_recipe(recipe), signature, manifests)
    return [(each.message, each.hint) for each in found]


def test_values_of_shape_inputs_are_asked_for(tmp_path):
    """The line to write is quoted."""
    [(message, hint)] = problems(SHAPED, small_project(tmp_path))

    assert "the values of `size` [2] decide the size that `up (Resize)` makes" in message
    assert "`size: {values: true, min: ..., opt: ..., max: ...}`" in hint


def test_values_of_shape_inputs_are_taken(tmp_path):
    """As many as the input has."""
    recipe = edit(small_project(tmp_path), PROFILE, VALUES)
    assert [] == problems(SHAPED, recipe)
    edit(recipe, "[16, 16]", "[16, 16, 16]")

    [(message, _)] = problems(
        SHAPED, edit(recipe, "[8, 8], opt: [8, 8]", "[8, 8, 8], opt: [8, 8, 8]")
    )
    assert "`size`: [8, 8, 8] has 3 values, the input has 2" == message


def test_shapes_from_a_float_input_are_refused(tmp_path):
    """TensorRT has no values for it in a profile."""
    floats = TensorSpec(name="size", dtype="float32", shape=(2,))
    signature = SHAPED.model_copy(update={"inputs": (*SIGNATURE.inputs, floats)})
    [(message, hint)] = problems(signature, small_project(tmp_path))

    assert "they are float32: TensorRT takes such from integers alone" in message
    assert "int64" in hint


def test_samples_of_sizes_that_the_model_lacks_are_named(tmp_path):
    """The axis, the sizes, the first odd sample, and what is expected."""
    tensor = TensorSpec(name="input", dtype="float32", shape=(3, "8..9", 8))
    span = SizeSpan(tensor="input", axis=1, least=8, most=9, first=4)
    [(message, _)] = problems(SIGNATURE, small_project(tmp_path), [tensor], [span])

    assert message == (
        "data `calib` has samples of several sizes for `input`: axis 1 of a sample goes from 8 to 9 "
        "(sample 4 is the first unlike those before); the model takes 8 alone: [batch, 3, 8, 8]"
    )


def test_samples_of_sizes_that_the_model_leaves_open_pass(tmp_path):
    """Each is fed by itself."""
    tensor = TensorSpec(name="input", dtype="float32", shape=(3, "8..9", 8))
    span = SizeSpan(tensor="input", axis=1, least=8, most=9, first=4)
    spec = SIGNATURE.inputs[0].model_copy(update={"shape": ("batch", 3, "h", 8)})
    signature = SIGNATURE.model_copy(update={"inputs": (spec,)})

    assert [] == problems(signature, small_project(tmp_path), [tensor], [span])


def test_an_input_without_data_can_be_filled(tmp_path):
    """The hint says how; a name that the model lacks is a problem of its own."""
    inputs = (*SIGNATURE.inputs, TensorSpec(name="h0", dtype="float32", shape=(2, "batch", 4)))
    signature = SIGNATURE.model_copy(update={"inputs": inputs})
    tensor = TensorSpec(name="input", dtype="float32", shape=(3, 8, 8))
    recipe = edit(
        small_project(tmp_path),
        PROFILE,
        PROFILE + "    h0: {min: [2, 1, 4], opt: [2, 2, 4], max: [2, 4, 4]}\n",
    )
    [(message, hint)] = problems(signature, recipe, [tensor])

    assert "data `calib` gives nothing for the input `h0`" == message
    assert "`inputs: {h0: {fill: 0}}`" in hint
    edit(recipe, "data:\n", "inputs: {h0: {fill: 0}}\ndata:\n")
    assert [] == problems(signature, recipe, [tensor])
    edit(recipe, "inputs: {h0:", "inputs: {h1: {batch_axis: 0}, h0:")
    assert [("the model has no input `h1`", "nearest: `h0`")] == problems(
        signature, recipe, [tensor]
    )
