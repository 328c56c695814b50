"""What is said of a recipe's patterns over nodes, for the nodes that its model has."""

from __future__ import annotations

import pytest

from tests.helpers.projects import edit, small_project
from trtbuild.core.values import NodeSpec, Signature
from trtbuild.plan.patterns import find_pattern_problems
from trtbuild.recipe.load import load_recipe

SIGNATURE = Signature(
    inputs=(),
    outputs=(),
    tensors=(),
    nodes=tuple(
        NodeSpec(name=name, op=op)
        for name, op in (
            ("/a/conv", "Conv"),
            ("/a/fc", "Gemm"),
            ("/b/conv", "Conv"),
            ("x[0]", "Relu"),
            ("x0", "Relu"),
        )
    ),
)
INT8 = "quantization:\n  data: calib\n  calibrator: {kind: minmax}\n"


@pytest.fixture
def said(tmp_path):
    """Return what is said of a section of a recipe: at which text, the message and the hint."""

    def check(section):
        recipe = edit(small_project(tmp_path), INT8, section)
        lines = recipe.read_text().splitlines()
        return [
            (lines[each.mark.line - 1][each.mark.column - 1 :], each.message, each.hint)
            for each in find_pattern_problems(load_recipe(recipe), SIGNATURE)
        ]

    return check


@pytest.mark.parametrize(
    ("section", "unmatched"),
    [
        (INT8, []),
        (INT8 + "  skip: ['/a/fc', 'b*', 'op:Gemm', 'op:Foo']\n", ["b*", "op:Foo"]),
        (INT8 + "  precision: {'op:C*': fp32, 'c?': int8}\n", ["c?"]),
        ("precision: {type: fp16, fp32: ['/a/fc', nothing, 'op:Foo']}\n", ["nothing", "op:Foo"]),
        ("precision: fp16\n", []),
    ],
)
def test_a_pattern_that_means_no_node_is_a_problem(section, unmatched, said):
    """Wherever a recipe says what nodes are computed in."""
    assert [f"`{pattern}` matches no node of the model" for pattern in unmatched] == [
        message for _, message, _ in said(section)
    ]


def precision(*lines, skip=()):
    """Write a section with precisions in this order."""
    body = "".join(f"    {line}\n" for line in lines)
    return f"{INT8}  skip: {list(skip)}\n  precision:\n{body}"


@pytest.mark.parametrize(
    "lines",
    [
        ('"*": int8', "op:Conv: fp32", '"/a/*": int8', "/a/conv: fp32"),
        ("/a/conv: fp32", '"*": int8'),
        ('"/a/*": fp32', '"*conv": fp32', '"*": fp32'),
        ('"*": fp32', '"/a/*": fp32', '"*conv": fp32', '"/b/*": int8', "/b/conv: int8"),
    ],
)
def test_exceptions_below_what_they_are_exceptions_of_are_fine(lines, said):
    """A name may stand anywhere, and those that say the same may overlap."""
    assert [] == said(precision(*lines))


@pytest.mark.parametrize(
    ("first", "late", "node"),
    [
        ("op:Conv", '"*"', "/a/conv"),
        ('"/a/*"', '"*"', "/a/conv"),
        ('"*/fc"', "op:Gemm", "/a/fc"),
        ("op:Gemm", '"op:*"', "/a/fc"),
    ],
)
def test_what_counts_though_another_is_written_below_is_a_problem(first, late, node, said):
    """Once for two patterns, at the line that has no effect, with what to write for either."""
    one, other = first.strip('"'), late.strip('"')
    ((where, message, hint),) = said(precision(f"{first}: fp32", f"{late}: int8"))

    assert f"{late}: int8" == where
    assert (
        f"`{other}` (int8) stands below `{one}` (fp32), which is more specific and so counts for "
        f"`{node}`"
    ) == message
    assert (
        f"for fp32, write `{one}` below `{other}`; for int8, take `{one}` out, or name the node: "
        f"`{node}: int8`"
    ) == hint
    assert [] == said(precision(f"{late}: int8", f"{first}: fp32"))


def test_two_patterns_of_which_neither_is_more_specific_are_a_problem(said):
    """Unless the node has a precision by its name."""
    overlapping = ('"/a/*": fp32', '"*conv": int8')
    ((where, message, hint),) = said(precision(*overlapping))

    assert '"*conv": int8' == where
    assert "`/a/*` and `*conv` both mean `/a/conv`, and neither is more specific" == message
    assert "give `/a/conv` a precision by its name" in hint
    assert [] == said(precision(*overlapping, "/a/conv: int8"))


@pytest.mark.parametrize(
    ("skip", "lines", "in_vain"),
    [
        (["op:Conv"], ["/a/conv: int8"], "/a/conv"),
        (["*"], ['"/a/*": int8'], "/a/*"),
        (["op:Conv"], ['"*": int8'], None),
        (["/a/conv"], ["/a/conv: int8"], None),
        (["/a/*"], ['"*conv": int8'], None),
        (["op:Conv"], ["/a/conv: fp32"], None),
    ],
)
def test_int8_in_vain_is_a_problem(skip, lines, in_vain, said):
    """`skip` wins over every precision; one that is more specific was not meant to lose."""
    message = f"`/a/conv` is skipped by `{skip[0]}`, so `{in_vain}: int8` has no effect on it"

    assert ([message] if in_vain else []) == [
        found[1] for found in said(precision(*lines, skip=skip))
    ]


@pytest.mark.parametrize(
    "section",
    [
        INT8 + '  skip: ["x[0]"]\n',
        INT8 + '  precision: {"x[0]": fp32}\n',
        "precision: {type: fp16, fp32: ['x[0]']}\n",
    ],
)
def test_a_name_that_could_be_a_pattern_is_a_problem(section, said):
    """It means the node alone; how to write so, and what to add, is said."""
    ((_, message, hint),) = said(section)

    assert "`x[0]` is the name of a node; as a pattern it would mean `x0`" == message
    assert "write `x[[]0]` for the node alone" in hint
    assert [] == said(section.replace("x[0]", "x[[]0]"))
