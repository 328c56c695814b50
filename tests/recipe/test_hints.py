"""The next move for a value of the wrong type or form."""

from __future__ import annotations

import pytest

from tests.helpers.spoilt import TREE, problems_of, put
from trtbuild.calib.kinds import RangeSource
from trtbuild.data import AnyDataSource
from trtbuild.fixes import Fix
from trtbuild.recipe.hints import describe_value, hint_for_pattern, hint_for_type
from trtbuild.recipe.schema import NAME_PATTERN, ProfileShapes
from trtbuild.recipe.source import parse_recipe_text
from trtbuild.sources import ModelSource
from trtbuild.sources.kinds import InputSpec, Weights


@pytest.mark.parametrize(
    ("expected", "written", "wanted"),
    [
        ("remove the quotes: 8", '"8"', int),
        ("write 1000", "1_000", int),
        ("write 99.9", "99.9%", float),
        ("a recipe does not calculate; write 0.5", "1/2", float),
        ("", "1/0", float),
        ("", "wide", float),
        ("write 8", "8.0", int),
        ("", "8.5", int),
        ('put it in quotes: "8"', "8", str),
        ('put it in quotes: "true"', "true", str),
        ("write true; yes, no, on and off are text in YAML 1.2", "yes", bool),
        ("write false; yes, no, on and off are text in YAML 1.2", "Off", bool),
        ('write ["fc"]', "fc", tuple[str, ...]),
        ("write [8]", "8", tuple[int, ...]),
        ("write [64, 64]", "64", tuple[int, int]),
        ("write [64, 64]", "[64]", tuple[int, int]),
        ("write [1, 3, 64, 64]", "1x3x64x64", tuple[int, ...]),
        ("write [batch, 3, 64]", '"(batch, 3, 64)"', tuple[int | str, ...]),
        ("write 8.6", "sm_86", float),
        ("write [12.0]", "sm_120", tuple[float, ...]),
        ("write {path: vit.pth}", "vit.pth", Weights),
        (
            'write {url: "https://a.org/b.pth", sha256: ...}; `sha256sum FILE` prints the digest',
            "https://a.org/b.pth",
            Weights,
        ),
        ("write {shape: [1, 3, 64]}", "1x3x64", InputSpec),
        ("write {min: [1, 3], opt: [1, 3], max: [1, 3]}", "[1, 3]", ProfileShapes),
        ("write {kind: onnx, path: resnet.onnx}", "resnet.onnx", ModelSource),
        ("write {kind: arrays, path: calib.npz}", "calib.npz", AnyDataSource),
        ("write {kind: cache, path: calib.cache}", "calib.cache", RangeSource),
        ("write [{kind: fold_constants}]", "fold-constants", tuple[Fix, ...]),
        ("write its options below it, as `name: value`: dtype, shape", "image", InputSpec),
        ("remove the brackets: 8", "[8]", int),
        ("begin each item with `- `", "{a: 1}", tuple[str, ...]),
        ("write `name: value`, without dashes or brackets", "[{a: 1}, {b: 1}]", dict[str, int]),
    ],
)
def test_a_hint_says_what_to_write(expected, written, wanted):
    """Made from what stands there and what should."""
    source = parse_recipe_text("hint.yaml", f"a: {written}\n".encode())
    value = source.root.plain["a"]

    assert expected == hint_for_type(("a",), value, wanted, source)


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ("write `my-model`", "my model"),
        ("write `model`", "..model"),
        ("write `a-b`", "a/b"),
        ("write a short word", "漢"),
    ],
)
def test_a_name_is_proposed(expected, text):
    """The nearest name that is one."""
    assert expected == hint_for_pattern(NAME_PATTERN, text, "name")[1]


def test_an_unknown_pattern_is_shown():
    """No words are better than wrong ones."""
    assert ("`x` does not have the form it must have", "it must match ^a$") == hint_for_pattern(
        "^a$", "b", "x"
    )


def test_digests_may_be_too_loud():
    """Capital letters are the likeliest slip."""
    pattern = "^[0-9a-f]{64}$"

    assert "small" in hint_for_pattern(pattern, "AB" * 32, "sha256")[1]
    assert "sha256sum" in hint_for_pattern(pattern, "ab", "sha256")[1]


@pytest.mark.parametrize(
    ("expected", "value"),
    [
        ('text "8"', "8"),
        ("empty text", ""),
        ("8", 8),
        ("true", True),
        ("a list", [1]),
        ("a mapping", {}),
        ("nothing", None),
    ],
)
def test_values_are_told_by_what_they_are(expected, value):
    """Text is quoted, so that "8" and 8 differ."""
    assert expected == describe_value(value)


@pytest.mark.parametrize(
    ("expected", "at"),
    [
        ("INT8 is made by the section `quantization`: write", ("precision",)),
        ("leave it out: it is for what does not become", ("quantization", "high_precision")),
    ],
)
def test_int8_is_no_precision(expected, at):
    """Whoever asks for it is told which section makes it."""
    (problem,) = problems_of(put(TREE, at, "int8"))

    assert problem.hint.startswith(expected)
