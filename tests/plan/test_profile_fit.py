"""Whether engines could take the samples of the recipe's own data."""

from __future__ import annotations

import pytest

from trtbuild.core.values import TensorSpec
from trtbuild.data.base import Manifest, SizeSpan
from trtbuild.plan.profile_fit import find_samples_beyond_profiles
from trtbuild.recipe.schema import Recipe

RECIPE = """{"version": 1, "name": "r", "model": {"kind": "onnx", "path": "m.onnx"},
"targets": {"rtx": {"kind": "tensorrt_rtx"}}, "profiles": [%s]%s}"""
SMALL = '{"x": {"min": [1, 3, 4], "opt": [2, 3, 8], "max": [4, 3, 10]}}'
LARGE = '{"x": {"min": [1, 3, 11], "opt": [2, 3, 16], "max": [4, 3, 16]}}'
STATE = '{"x": {"min": [2, 1, 32], "opt": [2, 4, 32], "max": [2, 8, 32]}}'
BATCH_BEHIND = ', "inputs": {"x": {"batch_axis": 2}}'


def told(profiles, shape, spans=(), more=""):
    recipe = Recipe.model_validate_json(RECIPE % (profiles, more))
    sizes = tuple(SizeSpan(tensor="x", axis=a, least=b, most=c, first=1) for a, b, c in spans)
    tensor = TensorSpec(name="x", dtype="float32", shape=shape)
    manifest = Manifest(count=2, samples=("", ""), tensors=(tensor,), labelled=False, sizes=sizes)
    return list(find_samples_beyond_profiles(recipe, {"eval": manifest}))


@pytest.mark.parametrize(
    ("count", "profiles", "shape", "spans", "more"),
    [
        (0, SMALL, (3, 10), (), ""),
        (1, SMALL, (3, 11), (), ""),
        (1, SMALL, (3, 3), (), ""),
        (0, f"{SMALL}, {LARGE}", (3, 16), (), ""),
        (1, f"{SMALL}, {LARGE}", (3, "n"), [(1, 10, 11)], ""),
        (0, SMALL, (3, "n"), [(1, 4, 10)], ""),
        (0, SMALL, (2, 3), (), BATCH_BEHIND),
        (1, SMALL, (5, 3), (), BATCH_BEHIND),
        (0, SMALL, (1, 3, 10), (), ""),
        (0, STATE, (2, 32), (), ""),  # a state's batch may be behind
        (1, STATE, (2, 33), (), ""),
        (0, SMALL, (99,), (), ""),  # of another rank: said elsewhere
        (0, "", (99,), (), ""),
        (0, SMALL.replace("[4, 3, 10]", "[4, 3]"), (3, 99), (), ""),  # so is what is no profile
    ],
)
def test_samples_that_no_profile_takes_are_told(count, profiles, shape, spans, more):
    """Whatever the batch; several profiles must one of them take all."""
    assert count == len(told(profiles, shape, spans, more))


def test_it_names_input_sizes_and_profile():
    """And what to do."""
    (warning,) = told(SMALL, (3, "n"), [(1, 8, 12)])

    assert warning.startswith("data `eval`: its samples of `x` are [3, 8 to 12] without the batch")
    assert "(min [1, 3, 4], max [4, 3, 10])" in warning
