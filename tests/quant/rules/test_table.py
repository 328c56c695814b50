"""Every static rule fires where it should, and nowhere near."""

from __future__ import annotations

import pytest

from tests.helpers.rules import FIRES, HOLDS, scales
from trtbuild.quant.rules.build_target import BuildTarget
from trtbuild.quant.rules.check import OPERATORS, check_rules, find_operator_faults
from trtbuild.quant.rules.table import TABLE

CODES = [rule.code for rule in TABLE]


def told(subject):
    return "\n".join(
        f"{fault.code} {fault.level}: {', '.join(fault.nodes) or 'the model'}: {fault.reason}"
        f"\n    hint: {fault.hint}"
        for fault in check_rules(subject)
    )


def test_every_rule_has_a_model_that_breaks_it_and_one_that_does_not():
    """A rule without them is no rule."""
    assert CODES == list(FIRES) == list(HOLDS)


@pytest.mark.parametrize("code", CODES)
def test_a_rule_fires(code, golden):
    """With the nodes concerned, the reason and the next move; and with nothing that is not so."""
    text = told(FIRES[code]())

    assert code in text
    golden(f"checks/{code}.txt", text + "\n")


@pytest.mark.parametrize("code", CODES)
def test_a_rule_holds(code):
    """A neighbour of that model does not break it."""
    assert code not in {fault.code for fault in check_rules(HOLDS[code]())}


@pytest.mark.parametrize("rule", TABLE, ids=lambda rule: rule.code)
def test_a_rule_says_what_holds(rule):
    """Its function's docstring is its row in the documentation: a sentence."""
    assert rule.meaning.endswith(".")
    assert rule.hint


def test_rules_about_ranges_wait_for_calibration():
    """Before calibration there are no scales to judge."""
    assert [] == [fault.code for fault in check_rules(FIRES["TB404"](), measured=False)]


def test_layers_that_may_be_float_break_no_rule_about_int8():
    """`allow_float` takes back what was asked."""
    subject = FIRES["TB207"]()
    allowed = type(subject)(
        model=subject.model, build_target=subject.build_target, allow_float=("op:ConvT*",)
    )

    assert [] == [fault.code for fault in check_rules(allowed)]


@pytest.mark.parametrize("scale", [float("inf"), float("nan")])
def test_a_scale_that_is_no_number_breaks_one_rule(scale):
    """It is not said to differ from itself, and nothing is computed with it."""
    assert ["TB104"] == [fault.code for fault in check_rules(scales(scale)())]


@pytest.mark.parametrize("kind", ["tensorrt10", "tensorrt11", "tensorrt_rtx", ""])
def test_models_that_build_lack_no_operator(kind):
    """Of none that keeps some other rule is one of its operators said to be lacking."""
    subjects = [make() for code, make in HOLDS.items() if code not in OPERATORS | {"TB120"}]
    found = [
        fault
        for each in subjects
        for fault in find_operator_faults(
            type(each)(model=each.model, build_target=BuildTarget(kind=kind)), half=False
        )
    ]

    assert [] == found
