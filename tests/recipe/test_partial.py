"""Of a recipe that is wrong somewhere, what is sound."""

from __future__ import annotations

import operator

import pytest

from tests.helpers.recipes import GOOD
from trtbuild.recipe.checks import find_problems_across
from trtbuild.recipe.load import examine_recipe

QD, CD, RANGE = ("quantization", "data"), ("compare", "data"), ("quantization", "ranges", "input")


@pytest.mark.parametrize(
    ("mistakes", "expected"),
    [
        ({"mode: explicit": "mod: explicit", "data: calib": "data: gone"}, [QD]),
        ({"percentile: 99.99": "percentile: much", "data: calib": "data: gone"}, [QD]),
        ({"percentile: 99.99": "percentile: 1%", "[-2.2, 2.7]": "[2.7, -2.2]"}, [RANGE]),
        # A broken data set is a data set all the same.
        ({"count: 64": "count: many"}, []),
        ({"path: photos": "paths: photos", "data: eval": "data: gone"}, [CD]),
        # What is wrong is not held against others: not this limit, nor what it may have meant.
        ({"[-2.2, 2.7]": "[2.7, low]"}, []),
        ({"data: eval": "dat: calib"}, []),
        ({"kind: onnxruntime": "kind: onnxruntim", "data: calib": "data: eval"}, [CD]),
        ({"mode: explicit": "mode: explicit\n  mode: implicit", "data: calib": "data: gone"}, [QD]),
    ],
)
def test_a_mistake_hides_no_other(mistakes, expected, tmp_path):
    """Rules look at what is sound beside it, in the same section too."""
    text = GOOD
    for before, after in mistakes.items():
        assert before in text
        text = text.replace(before, after)
    (tmp_path / "r.yaml").write_text(text)
    found = examine_recipe(tmp_path / "r.yaml")

    assert found.problems
    assert expected == [
        each.path for each in find_problems_across(found.recipe, found.source, partial=True)
    ]


@pytest.mark.parametrize(
    ("before", "after", "kept", "lost"),
    [
        (
            "percentile: 99.99",
            "percentile: a",
            "quantization.data",
            "quantization.calibrator.percentile",
        ),
        ("mode: explicit", "mod: explicit", "quantization.data", "quantization.mode"),
        ("axis: 0", "axis: zero", "model", "fixes"),
        ("targets:", "target:", "quantization.mode", "targets"),
        ("name: tiny-int8", "", "targets", "name"),
    ],
)
def test_what_is_wrong_cannot_be_read(before, after, kept, lost, tmp_path):
    """Nor what it was meant to be; what stands beside it can."""
    assert before in GOOD
    (tmp_path / "r.yaml").write_text(GOOD.replace(before, after))
    recipe = examine_recipe(tmp_path / "r.yaml").recipe

    assert operator.attrgetter(kept)(recipe)
    with pytest.raises(AttributeError):
        operator.attrgetter(lost)(recipe)
