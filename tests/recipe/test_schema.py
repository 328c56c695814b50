"""What a recipe may say, section by section."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.helpers.recipes import one_target
from trtbuild.core.errors import RecipeError
from trtbuild.core.options import describe_fields
from trtbuild.measure.metrics import LABELLED
from trtbuild.recipe.load import check_source
from trtbuild.recipe.schema import Compare, ProfileShapes, Quantization, Recipe
from trtbuild.recipe.source import parse_recipe_text

PLAIN = one_target({"kind": "onnxruntime"})


def loaded(text):
    return check_source(Path("r.yaml"), parse_recipe_text("r.yaml", text.encode())).recipe


def test_what_a_recipe_leaves_out_changes_nothing():
    """No INT8, no comparison, FP32: only what it asks for is done."""
    recipe = loaded(PLAIN)

    assert (None, None, "fp32") == (recipe.quantization, recipe.compare, recipe.precision)
    assert ((), {}, ()) == (recipe.fixes, recipe.data, recipe.profiles)
    assert {} == recipe.checks.off


@pytest.mark.parametrize(
    ("says", "version"),
    [
        ("install a newer one", "2"),
        ("write `version: 1`", "1.0"),
        ("write `version: 1`", "true"),
        ("write `version: 1`", '"1"'),
        ("write `version: 1`", "0"),
    ],
)
def test_a_version_is_the_number_1(says, version):
    """Not what Python takes for equal; a later one wants a later trtbuild."""
    with pytest.raises(RecipeError, match=says):
        loaded(PLAIN.replace("version: 1", f"version: {version}"))


@pytest.mark.parametrize("name", ["a/b", "..", ".hidden", "-x", "a b", "", "x" * 81, "é"])
def test_a_name_can_be_a_folder(name):
    """Results are placed under it, here and on other systems."""
    with pytest.raises(RecipeError):
        loaded(PLAIN.replace("name: small", f'name: "{name}"'))
    with pytest.raises(RecipeError):
        loaded(PLAIN.replace("  it:", f'  "{name}":'))


def test_a_recipe_builds_something():
    """One target at least."""
    with pytest.raises(RecipeError, match="targets"):
        loaded(PLAIN[: PLAIN.index("targets:")] + "targets: {}\n")


@pytest.mark.parametrize(("expected", "text"), [(6.0, "6.0"), ((-1.0, 2.5), "[-1.0, 2.5]")])
def test_bounds_are_a_limit_or_two_ends(expected, text):
    """Three numbers, or words, are neither."""

    def read(text):
        return Quantization.model_validate_json(f'{{"ranges": {{"x": {text}}}}}').ranges["x"]

    assert expected == read(text)
    for wrong in ("[1.0]", "[1.0, 2.0, 3.0]", '"6"'):
        with pytest.raises(ValidationError):
            read(wrong)


def test_nothing_that_needs_labels_is_measured_unasked():
    """Most data has none."""
    assert not LABELLED & set(Compare(data="eval").metrics)


@pytest.mark.parametrize(
    ("section", "text"),
    [
        (Quantization, '{"skip": [""]}'),
        (Quantization, '{"precision": {"fc": "fp16"}}'),
        (Quantization, '{"precision": {"": "int8"}}'),
        (Quantization, '{"calibrators": {"x": {"kind": "cache", "path": "a"}}}'),
        (Compare, '{"data": "eval", "metrics": []}'),
        (ProfileShapes, '{"min": [], "opt": [], "max": []}'),
        (ProfileShapes, '{"min": [-1], "opt": [1], "max": [1]}'),
    ],
)
def test_what_could_mean_nothing_is_refused(section, text):
    """An empty pattern, no metric, a shape without axes; a file where data is to be measured."""
    with pytest.raises(ValidationError):
        section.model_validate_json(text)


def test_every_section_says_what_it_is_for():
    """Editors and the reference show it."""
    assert [] == [
        f"{section.__name__}.{name}"
        for section in (Recipe, Quantization, Compare, ProfileShapes)
        for name in section.model_fields
        if name not in describe_fields(section)
    ]
