"""Only what stands on its own is told."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from trtbuild.recipe.findings import MOST_ERRORS, collect_findings, find_home
from trtbuild.recipe.schema import Recipe
from trtbuild.recipe.schema_places import find_place
from trtbuild.recipe.source import parse_recipe_text


def findings(tree):
    text = json.dumps(tree)
    with pytest.raises(ValidationError) as caught:
        Recipe.model_validate_json(text)
    return collect_findings(caught.value, parse_recipe_text("tree.yaml", text.encode()))


def test_a_list_is_not_too_short_for_its_bad_items():
    """Items that are wrong are told; that too few are left is not."""
    found = findings({"compare": {"data": "x", "metrics": ["cosin"]}})

    assert {"literal_error"} == {each.type for each in found if each.place.path[0] == "compare"}


def test_the_nearest_type_of_a_union_speaks():
    """A number out of bounds is not told that it might have been a list."""
    data = {"c": {"kind": "images", "path": "p", "preprocess": {"resize": -1}}}
    found = [each for each in findings({"data": data}) if each.place.path[0] == "data"]

    assert ["greater_than"] == [each.type for each in found]


def test_the_work_is_bounded():
    """A file with a million errors is no recipe."""
    found = findings({f"k{index}": 1 for index in range(2 * MOST_ERRORS)})

    assert len(found) <= MOST_ERRORS


@pytest.mark.parametrize(
    ("words", "loc"),
    [
        ("first column", ("quantization", "targets")),
        ("`compare`", ("metrics",)),
        ("`kind: percentile`", ("quantization", "calibrator", "minmax", "percentile")),
        ("", ("zebra",)),
    ],
)
def test_an_option_in_the_wrong_place_is_sent_home(words, loc):
    """To its section, its kind, or the top."""
    assert words in find_home(find_place(loc))
    assert bool(words) == bool(find_home(find_place(loc)))
