"""What became of recipes, for build services."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

from tests.helpers.records import deferred, failing_gate
from trtbuild.core.records import GateVerdict
from trtbuild.report.junit import render_junit

RECORD = failing_gate()


def test_a_suite_a_recipe_with_its_gates():
    """Gates that fail are failures; counts add up, as services check."""
    top = fromstring(render_junit([("face", 1.5, RECORD, "", "")]))  # noqa: S314  # our own

    (suite,) = top
    gates = [case for case in suite if case.get("name").startswith("gate ")]
    failed = [verdict for _, verdict in RECORD.list_verdicts() if not verdict.passed]
    assert len(RECORD.list_verdicts()) == len(gates)
    assert (str(len(failed)), str(len(suite)), "1.500") == (
        suite.get("failures"), suite.get("tests"), suite.get("time"),
    )  # fmt: skip
    assert (suite.get("tests"), "0") == (top.get("tests"), top.get("errors"))


def test_a_recipe_that_failed_is_an_error():
    """With the hint; what XML cannot hold is replaced, what it could mistake is written out."""
    text = render_junit([("net", 0.1, None, "calibrate: <no>\x00 & ]]>\nmore", "look")])

    (suite,) = fromstring(text)  # noqa: S314  # our own
    (case,) = suite
    (error,) = case
    assert ("error", "calibrate: <no>\ufffd & ]]>") == (error.tag, error.get("message"))
    assert error.text.endswith("more\nhint: look")


def test_a_target_that_is_for_another_machine_is_skipped():
    """With the reason."""
    (suite,) = fromstring(render_junit([("face", 1.0, deferred(), "", "")]))  # noqa: S314

    skipped = [case for case in suite if case.find("skipped") is not None]
    assert len(skipped) == int(suite.get("skipped")) > 0
    assert skipped[0].find("skipped").get("message")


def test_a_gate_that_failed_says_by_how_much_and_how_sure_that_is():
    """What was found, where it lies, and how far it is from the limit."""
    told = {"found": "drop 1.50 points", "interval": "-0.41 to 4.32 points (95 %)"}
    verdict = GateVerdict(gate="g", passed=False, value=0.015, missed_by="0.50 points", **told)
    compared = RECORD.comparison.model_copy(update={"verdicts": (verdict,)})
    record = RECORD.model_copy(update={"comparison": compared, "engine_comparisons": ()})
    (suite,) = fromstring(render_junit([("face", 1.0, record, "", "")]))  # noqa: S314

    (failure,) = suite.iter("failure")
    assert "drop 1.50 points, -0.41 to 4.32 points (95 %), missed by 0.50 points" == failure.get(
        "message"
    )
