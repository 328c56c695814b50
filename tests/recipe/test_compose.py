"""Nodes know their own size and depth, and whether their text was sound."""

from __future__ import annotations

import pytest

from trtbuild.recipe import compose as module
from trtbuild.recipe.compose import DEEPEST, TextError, compose_yaml


def test_a_node_counts_what_it_holds():
    """Size counts values with aliases written out; height counts levels."""
    root = compose_yaml("a: &a [1, [2]]\nb: *a\n", [])

    assert (9, 3) == (root.size, root.height)


def test_unsound_text_marks_what_it_spoils():
    """Only the value whose text is wrong, and what holds it, are unsound."""
    found: list[TextError] = []
    root = compose_yaml("a: [1, .inf]\nb: 2\n", found)

    assert [(0, 7)] == [each.at for each in found]
    assert (False, True) == (root.value["a"].sound, root.value["b"].sound)


def test_the_bounds_are_where_they_say(monkeypatch):
    """As many values and levels as the limit are read; one more is not."""
    monkeypatch.setattr(module, "MOST_NODES", 100)
    compose_yaml("[" * DEEPEST + "1" + "]" * DEEPEST, [])
    compose_yaml("[" + "1," * 99 + "]", [])

    with pytest.raises(TextError, match="levels"):
        compose_yaml("[" * (DEEPEST + 1) + "1" + "]" * (DEEPEST + 1), [])
    with pytest.raises(TextError, match="values"):
        compose_yaml("[" + "1," * 100 + "]", [])
