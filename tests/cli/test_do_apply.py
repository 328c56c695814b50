"""What is asked for in a way that means nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from trtbuild.cli.do_apply import do_apply
from trtbuild.core.errors import UsageError


@pytest.mark.parametrize(
    ("recipes", "options", "told"),
    [
        ([], {}, "no recipe is named"),
        ([Path("a.yaml")], {"plan": Path("p.json")}, "says by itself which recipe"),
        ([], {"plan": Path("p.json"), "targets": ["x"]}, "says by itself which recipe"),
    ],
)
def test_a_recipe_or_a_saved_plan(recipes, options, told):
    """One of them, and a saved plan says its targets."""
    with pytest.raises(UsageError, match=told):
        do_apply(recipes, **options)
