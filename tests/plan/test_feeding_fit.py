"""What is said of a model that cannot be fed."""

from __future__ import annotations

import pytest

from tests.helpers.projects import edit, small_project
from tests.plan.test_preflight import PROFILE, SIGNATURE
from trtbuild.core.values import TensorSpec
from trtbuild.data.base import Manifest, SizeSpan
from trtbuild.plan.preflight import find_model_problems
from trtbuild.recipe.load import load_recipe

SHAPED = SIGNATURE.model_copy(
    update={
        "inputs": (*SIGNATURE.inputs, TensorSpec(name="size", dtype="int64", shape=(2,))),
        "shape_inputs": {"size": "up (Resize)"},
    }
)
VALUES = PROFILE + "    size: {values: true, min: [8, 8], opt: [8, 8], max: [16, 16]}\n"


def problems(signature, recipe, tensors=(), sizes=(), *, data="calib", count=1):
    """Return message and hint of each problem; the data is given by its tensors, if there are."""
    manifest = Manifest(
        count=count, samples=("",), tensors=tuple(tensors), labelled=False, sizes=tuple(sizes)
    )
    manifests = {data: manifest} if tensors else {}
    found = find_model_problems(load_recipe(recipe), signature, manifests)
    return [(each.message, each.hint) for each in found]


def test_values_of_shape_inputs_are_asked_for(tmp_path):
    """The line to write is quoted."""
    [(message, hint)] = problems(SHAPED, small_project(tmp_path))

    assert "the values of `size` [2] decide the size that `up (Resize)` makes" in message
    assert "`size: {values: true, min: ..., opt: ..., max: ...}`" in hint


def test_tensorrt_cannot_calibrate_a_model_that_is_fed_values(tmp_path):
    """The model says that it is; what to do instead is told."""
    recipe = edit(
        small_project(tmp_path), "  data: calib\n", "  data: calib\n  calibrate_with: tensorrt\n"
    )
    edit(recipe, "kind: tensorrt_rtx, compute_capabilities: [8.9]", "kind: tensorrt10")
    first, _ = problems(SHAPED, recipe)

    assert first[0].startswith("TensorRT cannot calibrate this model: the values of `size` decide")
    assert first[1].startswith("remove `calibrate_with`")


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
        "data `calib` has samples of several sizes for `input`: axis 1 of a sample goes from 8 to "
        "9 (sample 4 is the first unlike those before); the model takes 8 alone: [batch, 3, 8, 8]"
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


def test_samples_must_fill_whole_batches(tmp_path):
    """Of a batch that the model fixes; found once they are counted."""
    recipe = small_project(tmp_path)
    edit(recipe, f"profiles:\n{PROFILE}", "")
    fixed = TensorSpec(name="input", dtype="float32", shape=(4, 3, 8, 8))
    signature = SIGNATURE.model_copy(update={"inputs": (fixed,)})
    sample = [TensorSpec(name="input", dtype="float32", shape=(3, 8, 8))]
    [(message, hint)] = problems(signature, recipe, sample, count=6)

    assert message.endswith(
        "the model takes 4 samples at once, and 6 samples are no multiple of that"
    )
    assert hint.startswith("take 4 samples")
    assert [] == problems(signature, recipe, sample, count=8)


@pytest.mark.parametrize(
    ("hint", "dtype"),
    [("draw them so: `dtype: int64`", "int64"), ("no float64 is drawn: give arrays", "float64")],
)
def test_drawn_samples_are_told_what_can_be_drawn(hint, dtype, tmp_path):
    """Random data has four types."""
    recipe = small_project(tmp_path)
    drawn = "{kind: random, inputs: {input: {shape: [3, 8, 8]}}}"
    edit(recipe, "{kind: arrays, path: calib.npz}", drawn)
    wanted = TensorSpec(name="input", dtype=dtype, shape=("batch", 3, 8, 8))
    signature = SIGNATURE.model_copy(update={"inputs": (wanted,)})
    sample = TensorSpec(name="input", dtype="float32", shape=(3, 8, 8))
    [(_, told)] = problems(signature, recipe, [sample])

    assert told.startswith(hint)
