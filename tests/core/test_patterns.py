"""One rule for all patterns: what they mean, and which of them counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trtbuild.core.patterns import assign_patterns, find_nodes, find_strongest, means_node

NAMES = ["input", "/layer4/conv/out", "/layer4/relu/out", "/layer3/relu/out", "odd[0]"]
NODES = {"/layer1/conv": "Conv", "/layer1/fc": "Gemm", "/layer2/conv": "Conv", "x[1]": "Relu"}


def strongest(name, patterns):
    """Return the patterns that count for a node."""
    meant = {each: frozenset(find_nodes(each, NODES)) for each in patterns}
    return find_strongest(name, [each for each in patterns if name in meant[each]], meant)


@pytest.mark.parametrize(
    ("pattern", "meant"),
    [
        ("/layer1/conv", True),
        ("*/conv", True),
        ("op:Conv", True),
        ("op:Conv*", True),
        ("op:MatMul", False),
        ("Conv", False),
        ("conv", False),
    ],
)
def test_a_pattern_means_a_name_or_after_op_an_operator(pattern, meant):
    """A bare operator's name is no pattern for it: names and operators stay apart."""
    assert meant == means_node(pattern, "/layer1/conv", "Conv")


def test_the_name_of_a_node_means_no_other():
    """Though as a pattern it would; where no node has the name, it is a pattern."""
    assert not means_node("x[1]", "x1", "Relu", NODES)
    assert means_node("x[1]", "x1", "Relu")


@pytest.mark.parametrize(
    ("patterns", "wins"),
    [
        (["*", "op:Conv"], ["op:Conv"]),
        (["*", "op:*"], ["op:*"]),
        (["op:Conv", "op:*"], ["op:Conv"]),
        (["op:Conv", "/layer?/*"], ["/layer?/*"]),
        (["op:Conv", "?*"], ["?*"]),
        (["/layer1/*", "?*"], ["/layer1/*"]),
        (["/layer1/*", "*/conv", "op:Conv"], ["/layer1/*", "*/conv"]),
        (["op:Con*", "op:Conv"], ["op:Con*", "op:Conv"]),
        (["/layer1/conv", "/layer1/con?"], ["/layer1/conv"]),
        (["op:Gemm"], []),
    ],
)
def test_names_come_before_operators_and_anything_before_the_star(patterns, wins):
    """Of two of one sort the part wins over the whole, whatever the order."""
    assert wins == strongest("/layer1/conv", patterns)
    assert wins[::-1] == strongest("/layer1/conv", patterns[::-1])


def test_a_third_pattern_settles_what_two_dispute():
    """It is a part of both."""
    patterns = ["/layer4/*", "*/relu/*", "/layer4/r*"]

    chosen, disputed = assign_patterns(patterns, NAMES)

    assert "/layer4/r*" == chosen["/layer4/relu/out"]
    assert {} == disputed


def test_a_name_with_brackets_means_itself():
    """Tensor names may look like patterns."""
    assert ({"odd[0]": "odd[0]"}, {}) == assign_patterns(["odd[0]"], NAMES)


def test_only_those_that_dispute_are_named():
    """What is less specific than they are has no part in it."""
    _, disputed = assign_patterns(["*", "/layer4/*", "*/relu/*"], NAMES)

    assert {"/layer4/relu/out": ("/layer4/*", "*/relu/*")} == disputed


def test_a_name_wins_over_a_pattern_of_the_same_meaning():
    """`inp*` means no other tensor, and is a pattern all the same."""
    assert ({"input": "input"}, {}) == assign_patterns(["inp*", "input"], NAMES)


@given(
    st.lists(st.text("ab*?", min_size=1, max_size=4), max_size=5, unique=True),
    st.lists(st.text("ab", min_size=1, max_size=4), max_size=6, unique=True),
    st.randoms(),
)
def test_the_order_of_entries_has_no_say(patterns, names, random):
    """The rule looks at what patterns mean, and at nothing else."""
    shuffled = random.sample(patterns, len(patterns))

    chosen, disputed = assign_patterns(patterns, names)
    again, disputed_again = assign_patterns(shuffled, names)

    assert chosen == again
    assert disputed.keys() == disputed_again.keys()
    assert not chosen.keys() & disputed.keys()
