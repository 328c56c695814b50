"""Hold a target's model against the static rules, before it is built."""

from __future__ import annotations

import onnx
import pytest

from tests.helpers.rules import FIRES, HOLDS
from trtbuild.core.errors import StepInputError
from trtbuild.core.model_checks import ModelChecks
from trtbuild.quant.rules.build_target import BuildTarget
from trtbuild.steps.base import Context, QuietEvents, Ref
from trtbuild.steps.check_model import CheckModel


@pytest.fixture
def check(tmp_path):
    """Run the step on a model; returns checks.json and the notes."""

    def run(model, **options):
        onnx.save(model, tmp_path / "model.onnx")
        events = QuietEvents()
        context = Context(
            inputs={"fix_graph/model": tmp_path / "model.onnx"}, out=tmp_path, events=events
        )
        step = CheckModel(
            model=Ref(step="fix_graph", output="model"), target="rtx", aim=BuildTarget(), **options
        )
        step.run(context)
        assert "no error\n" == (tmp_path / "passed").read_text()
        return ModelChecks.model_validate_json((tmp_path / "checks.json").read_bytes()), [
            *events.warnings,
            *events.notes,
        ]

    return run


def test_an_error_ends_the_build(check):
    """Rule, nodes, reason, next move, and how to turn the rule off."""
    with pytest.raises(StepInputError) as raised:
        check(FIRES["TB102"]().model)

    assert raised.value.message.startswith("TB102 `x_q`, `x_dq`: it is of uint8")
    assert '`checks: {off: {TB102: "why"}}`' in raised.value.hint


def test_a_warning_is_told(check):
    """With its next move."""
    _, [note] = check(FIRES["TB401"]().model)

    assert note.startswith("TB401 `y_dq`: it rounds the model's output `y` to 8 bits (hint: ")


def test_an_error_that_is_turned_off_is_a_note_with_the_reason(check):
    """Nothing is hidden."""
    found, [note] = check(FIRES["TB102"]().model, off={"TB102": "never above 127"})

    assert ["never above 127"] == [fault.off for fault in found.faults]
    assert note.endswith("(turned off: never above 127)")


def test_the_work_is_counted(check):
    """8 · 8 · 8 values, each a sum of 8 products; with a batch of 4 four times as many."""
    found, _ = check(HOLDS["TB101"]().model)

    assert {"one": 8 * 64 * 8} == found.macs
    assert (1, 4096, 4096) == (
        found.coverage.layers,
        found.coverage.macs,
        found.coverage.asked_macs,
    )
