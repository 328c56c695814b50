"""What a run came to, as far as a terminal shows it."""

from __future__ import annotations

from tests.helpers.records import good, outcomes
from trtbuild.core.comparison import GateVerdict, UnrunEngine
from trtbuild.core.overview import Overview

FAILED = GateVerdict(gate="cosine ≥ 1", passed=False, value=None)


def unrun(name):
    return UnrunEngine(
        reference="FP32 model", reference_type="FP32", candidate=f"engine of {name}", runner="",
        samples=4, labelled=False, measures=(), verdicts=(FAILED,), caveats=(), not_run="no GPU",
        target=name, step=f"infer({name})",
    )  # fmt: skip


def told(**more):
    record = good()
    return Overview(recipe=record.recipe, file=record.file, outcomes=record.outcomes, **more)


def test_each_warning_is_told_once_with_the_steps_that_gave_it():
    """One on the whole names none."""
    steps = outcomes(calibrate={"warnings": ("few",)}, quantize={"warnings": ("few", "float")})
    found = told(warnings=("large",)).model_copy(update={"outcomes": steps}).list_warnings()

    assert {"large": (), "few": ("calibrate", "quantize"), "float": ("quantize",)} == found


def test_a_verdict_says_which_engine_it_is_on():
    """Of the model it says none; the model comes first."""
    compared = good().comparison.model_copy(update={"verdicts": (FAILED,)})
    found = told(comparison=compared, unrun_engines=(unrun("rtx"),)).list_verdicts()

    assert [("", FAILED), ("engine of rtx", FAILED)] == list(found)


def test_gates_of_engines_that_did_not_run_are_told_from_others():
    """Where nothing fails, they are not all that does."""
    compared = good().comparison.model_copy(update={"verdicts": (FAILED,)})

    assert told(unrun_engines=(unrun("rtx"),)).only_unrun_engines_fail()
    assert not told(comparison=compared, unrun_engines=(unrun("rtx"),)).only_unrun_engines_fail()
    assert not told().only_unrun_engines_fail()
