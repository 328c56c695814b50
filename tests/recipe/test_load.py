"""A file becomes a recipe, or all its problems, and never a traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers.recipes import GOOD
from tests.helpers.spoilt import TREE as EVERY
from tests.helpers.spoilt import WRONG, check_tree, list_options, list_places, put
from trtbuild.core.errors import MissingFile, RecipeError
from trtbuild.recipe.load import check_source, load_recipe
from trtbuild.recipe.schema import Recipe
from trtbuild.recipe.source import parse_recipe_text

TREE = parse_recipe_text("good.yaml", GOOD.encode()).root.plain


def outcome_of(data):
    """Load bytes; what is wrong with them must be told, and renderable."""
    try:
        return check_source(Path("any.yaml"), parse_recipe_text("any.yaml", data))
    except RecipeError as error:
        found = error.problems
    assert found
    assert all(problem.message for problem in found)
    assert all(len(problem.render()) < 2000 for problem in found)
    return None


def test_a_good_recipe_loads(tmp_path):
    """With its defaults resolved, and its text at hand for later problems."""
    path = tmp_path / "good.yaml"
    path.write_text(GOOD)

    found = load_recipe(path)

    assert ("tiny-int8", path) == (found.recipe.name, found.file)
    assert 4 * 2**30 == found.recipe.targets["rtx"].workspace
    assert 0.01 == found.recipe.compare.gates[1].drop_at_most
    assert {
        "input": (-2.2, 2.7),
        "*/layer4/*": 6.0,
        "495": 10.0,
    } == found.recipe.quantization.ranges
    problem = found.source.problem(("quantization", "ranges", "input"), "too narrow", key=True)
    assert (str(path), 30, 5) == (problem.file, problem.mark.line, problem.mark.column)
    assert "    input: [-2.2, 2.7]" == problem.excerpt


def test_spelling_does_not_change_a_recipe():
    """Comments, order of keys, quotes and flow style are not part of what a recipe says."""
    backwards = json.dumps(dict(reversed(TREE.items())))
    commented = GOOD.replace("\n", "  # no matter\n")

    recipes = [outcome_of(text.encode()).recipe for text in (GOOD, backwards, commented)]

    assert recipes[0] == recipes[1] == recipes[2]
    assert recipes[0] == Recipe.model_validate_json(recipes[0].model_dump_json())


def test_anchors_share_values():
    """Two data sets may be prepared in the same way."""
    text = GOOD.replace("preprocess: {", "preprocess: &prepare {").replace(
        "eval: {kind: arrays, path: eval.npz, labels: label}",
        "eval: {kind: images, path: more, preprocess: *prepare}",
    )
    data = outcome_of(
        text.replace(", top1]", "]").replace("top1, drop", "cosine, at_least: 0.9}  #").encode()
    ).recipe.data

    assert data["calib"].preprocess == data["eval"].preprocess


def test_a_missing_recipe_is_missing(tmp_path):
    """Its path is told; nothing is made."""
    with pytest.raises(MissingFile, match=r"none\.yaml"):
        load_recipe(tmp_path / "none.yaml")


def nodes_of(tree, path=()):
    yield path
    for key, child in tree.items() if isinstance(tree, dict) else enumerate(tree):
        yield from (
            nodes_of(child, (*path, key)) if isinstance(child, dict | list) else [(*path, key)]
        )


def spoiled(tree, path, value):
    """Return a copy of a tree with the value at a path replaced; a callable changes the key."""
    if not path:
        return tree if callable(value) else value
    copy = dict(tree) if isinstance(tree, dict) else list(tree)
    if len(path) == 1 and callable(value):
        if isinstance(copy, dict):
            copy[value(path[0])] = copy.pop(path[0])
        else:
            copy.pop(path[0])
        return copy
    copy[path[0]] = spoiled(tree[path[0]], path[1:], value)
    return copy


SMALL = st.recursive(
    st.sampled_from(
        [None, True, False, 0, -1, 1, 7.5, 1e300, "", "kind", "minmax", "images", "top1", "1%", "8"]
    )
    | st.text(max_size=5),
    lambda below: (
        st.lists(below, max_size=3)
        | st.dictionaries(
            st.sampled_from(["kind", "data", "path", "input", "min", "[key]", "float"])
            | st.text(max_size=3),
            below,
            max_size=3,
        )
    ),
    max_leaves=4,
)
RENAMED = st.sampled_from(
    [str.upper, lambda key: key + "s", lambda key: key[:-1], lambda _: "kind"]
)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(nodes_of(TREE), key=str)), SMALL | RENAMED),
        min_size=1,
        max_size=3,
    )
)
def test_a_spoiled_recipe_is_told_about_or_loads(changes):
    """Whatever stands wherever, the answer is a recipe or its problems."""
    tree = TREE
    for path, value in changes:
        try:
            tree = spoiled(tree, path, value)
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change has removed the place
    outcome_of(json.dumps(tree).encode())


@settings(max_examples=100, deadline=None)
@given(
    st.integers(0, len(GOOD)), st.integers(0, 12), st.text(" :-[]{}\"'*&!#\n\tab1.%", max_size=6)
)
def test_a_slip_of_the_hand_is_told_about_or_loads(start, length, typed):
    """A passage struck out, another typed instead."""
    outcome_of((GOOD[:start] + typed + GOOD[start + length :]).encode())


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_noise_is_told_about(data):
    """No bytes end in anything but problems."""
    outcome_of(data)


MANY = {
    "unknown keys": "".join(f"unknown{index}: 1\n" for index in range(4000)),
    "unknown kinds": "fixes:\n" + "- {kind: x}\n" * 4000,
    "profiles": "profiles:\n"
    + "".join(f"- {{a{index}: {{min: [1], opt: [1], max: [1]}}}}\n" for index in range(1000)),
    "ranges": "quantization:\n  data: x\n  calibrator: {kind: minmax}\n  ranges:\n"
    + "".join(f"    t{index}: -1\n" for index in range(4000)),
}


@pytest.mark.parametrize("many", MANY)
def test_thousands_of_problems_are_told_in_seconds(many):
    """The first hundred in full, that there are more in one line."""
    text = "version: 1\nname: x\nmodel: {kind: onnx, path: x}\ntargets: {x: {kind: onnxruntime}}\n"
    with pytest.raises(RecipeError) as caught:
        check_source(
            Path("many.yaml"), parse_recipe_text("many.yaml", (text + MANY[many]).encode())
        )

    assert 101 == len(caught.value.problems)
    assert len(str(caught.value)) < 50_000


def test_loading_a_recipe_needs_nothing_heavy(tmp_path):
    """A recipe is checked on a machine that could not build it."""
    path = tmp_path / "good.yaml"
    path.write_text(GOOD)
    code = (
        "import sys; from pathlib import Path; from trtbuild.recipe.load import load_recipe;"
        f"load_recipe(Path({str(path)!r})); print(*sys.modules)"
    )
    modules = set(subprocess.check_output([sys.executable, "-c", code], text=True).split())

    assert set() == modules & {"numpy", "onnx", "onnxruntime", "PIL", "torch", "polygraphy"}


def test_any_wrong_value_is_told_at_its_line():
    """Whatever stands anywhere in a recipe of every section: it loads, or a line is told.

    Every other value at a place, and the rest at the next, which is mostly of its sort.
    """
    told = [
        outcome_of_tree(put(EVERY, at, bad))
        for index, at in enumerate(list_places(EVERY))
        for bad in WRONG[index % 2 :: 2]
    ]

    assert 500 < sum(told)


def test_any_wrong_option_of_any_kind_is_told_at_its_line():
    """So for options that no recipe here has: each of each kind, with two values, all in turn."""
    told = [
        outcome_of_tree(put(EVERY, at, {**least, option: bad}))
        for index, (at, least, option) in enumerate(list_options())
        for bad in WRONG[index % 7 :: 7]
    ]

    assert 400 < sum(told)


def outcome_of_tree(tree):
    """Return whether something is wrong with a recipe; all of it must be told, at a line."""
    try:
        check_tree(tree)
    except RecipeError as error:
        found = error.problems
    else:
        return False
    assert all(problem.message and problem.mark.line for problem in found)
    return bool(found)


@pytest.mark.parametrize("name", sorted(Recipe.model_fields))
def test_a_mistake_in_one_section_hides_none_in_another(name):
    """A typo in any section, and a profile out of order: both are told at once."""
    shapes = {"image": {"min": [8, 3], "opt": [4, 3], "max": [2, 3]}}
    tree = put(EVERY, ("profiles", 0), shapes)
    where = "targets" if name == "profiles" else name

    with pytest.raises(RecipeError) as caught:
        check_tree(put(tree, (where,), [["nonsense"]]))

    told = [problem.path for problem in caught.value.problems]
    assert ("profiles", 0, "image", "min", 0) in told
    assert where in {path[0] for path in told}
