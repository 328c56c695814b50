"""INT8 that is slower than it need be: from how much on it is worth a word."""

from __future__ import annotations

import pytest

from tests.helpers.qdq import layer
from tests.helpers.rules import NORM, ONES, W, X, account, conv, graph, qdq, two
from trtbuild.quant.rules.slow import (
    float_between,
    mostly_fp32,
    padded,
    split_fusion,
    unfolded_norm,
)
from trtbuild.quant.rules.subject import RuleSubject


def nodes(rule, model, **known):
    return [node for node, *_ in rule(RuleSubject(model=model, **known))]


def test_padding_is_told_as_a_share_of_the_work():
    """6 and 5 channels grow to 8 and 8: 64 / 30, which is 113 % more."""
    subject = RuleSubject(model=layer(x="1, 5, 8, 8", w=(6, 5, 3, 3)))

    assert [("layer", "padding channels to fours adds 113% of multiply-accumulates")] == list(
        padded(subject)
    )


@pytest.mark.parametrize(
    ("expected", "channels"), [([], 40), ([], 39), ([], 33), (["layer"], 29), (["layer"], 6)]
)
def test_a_tenth_more_is_worth_a_word(expected, channels):
    """33 to 36 is 9 %, 29 to 32 is 10.3 %; the 40 outputs stay 40."""
    model = layer(x=f"1, {channels}, 8, 8", w=(40, channels, 1, 1))

    assert expected == nodes(padded, model)


DEEP = "[deep] y = Conv<group=8>({}, d)"
"""512 multiply-accumulates beside the 4096 of each INT8 layer of 8 channels, 8 x 8 places."""


@pytest.mark.parametrize(
    ("expected", "body"),
    [
        (["deep"], f"{X} {W} {conv('one', 'x_dq', 'a', 'w_dq')} {DEEP.format('a')}"),
        ([], two("b = Relu(a)", tail=DEEP.format("c"))),
        ([], DEEP.format("x")),
    ],
)
def test_a_tenth_of_the_work_may_be_float(expected, body):
    """512 of 4608 is 11 %, of 8704 it is 6 %; and where nothing is INT8, nobody asked for it."""
    assert expected == nodes(mostly_fp32, graph(body, d=(8, 1, 1, 1)))


@pytest.mark.parametrize(
    ("expected", "reason"),
    [(["middle"], "there is no range for `a`"), ([], "skipped by the recipe: `mid*`")],
)
def test_a_float_layer_that_the_recipe_chose_is_no_surprise(expected, reason):
    """One that fell back is."""
    found = account(("one", "int8", ""), ("middle", "fp32", reason), ("two", "int8", ""))
    model = graph(two("[middle] b = Conv(a, u)"), u=(8, 8, 1, 1))

    assert expected == nodes(float_between, model, account=found)


@pytest.mark.parametrize(
    ("expected", "after"),
    [(["one"], "Relu(a_dq)"), (["one"], "Clip(a_dq)"), ([], "Sigmoid(a_dq)"), ([], "Relu(a)")],
)
def test_a_pair_parts_a_conv_from_what_would_fuse_with_it(expected, after):
    """A Sigmoid does not fuse, and what reads the float beside the pair is not parted."""
    body = f"{X} {W} {conv('one', 'x_dq', 'a', 'w_dq')} {qdq('a')} y = {after}"

    assert expected == nodes(split_fusion, graph(body))


@pytest.mark.parametrize(("expected", "source"), [(["norm"], "x_dq"), ([], "x")])
def test_a_norm_behind_a_float_conv_costs_no_int8(expected, source):
    """The rule is about INT8 layers."""
    body = (
        f"{X} {W} {conv('one', source, 'a', 'w_dq')} [norm] y = BatchNormalization(a, c, c, c, c)"
    )

    assert expected == nodes(unfolded_norm, graph(body, c=(8,)))


@pytest.mark.parametrize("folded", [True, False])
def test_a_norm_that_was_to_be_folded_needs_other_advice(folded):
    """The fix that left it is in the recipe already."""
    ((_, reason, *own),) = unfolded_norm(
        RuleSubject(model=graph(two(NORM), more=ONES), norms_folded=folded)
    )

    assert folded == reason.endswith("`fold_batchnorm` left it")
    assert [folded] * len(own) == ["`{kind: fold_constants}` in front" in each for each in own]
    assert folded == bool(own)


@pytest.mark.parametrize(
    ("expected", "norm", "more"),
    [
        ((), NORM, ONES),
        (
            ("the output of `one` has other readers",),
            NORM.replace("b = Relu(n)", "m = Relu(a)  b = Add(n, m)"),
            ONES,
        ),
        (
            ("its variance is not positive",),
            NORM,
            ONES.replace("{1", "{-1"),
        ),
        (
            ("its parameters are not constant",),
            NORM.replace("c8, c8)", "c8, v8)"),
            ONES + ", float[8] d8 = {1, 1, 1, 1, 1, 1, 1, 1}",
        ),
    ],
)
def test_a_norm_that_cannot_be_folded_is_not_advised_to_be(expected, norm, more):
    """The reason is told in the place of advice that has been followed already."""
    if "v8" in norm:
        norm = "v8 = Softmax(d8) " + norm
    found = list(unfolded_norm(RuleSubject(model=graph(two(norm), more=more))))

    assert [("norm", len(expected))] == [(node, len(own)) for node, _, *own in found]
    assert all(words in found[0][1] for words in expected)
