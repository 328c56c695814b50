"""What is to be known of a placed file before it is run."""

from __future__ import annotations

import pytest

from tests.helpers.records import good
from trtbuild.core.records import GateVerdict
from trtbuild.verbs.freshness import explain_waiver


def compared(**verdict):
    verdicts = (GateVerdict(gate="cosine ≥ 1", value=0.9, **verdict),)
    return good().comparison.model_copy(update={"verdicts": verdicts}).model_dump_json()


@pytest.mark.parametrize(
    ("file", "passed", "told"),
    [
        ("model.int8.onnx", False, "placed with --no-gates: cosine ≥ 1"),
        ("rtx/model.engine", False, "placed with --no-gates: cosine ≥ 1"),
        ("model.fp32.onnx", False, ""),
        ("rtx/other.engine", False, ""),
        ("model.int8.onnx", True, ""),
    ],
)
def test_what_did_not_pass_its_gates_says_so_wherever_it_is_run(tmp_path, file, passed, told):
    """The quantized model and its engines; not the model that it is made of."""
    (tmp_path / "comparison.json").write_text(compared(passed=passed))

    assert told == explain_waiver(tmp_path / file)


@pytest.mark.parametrize("text", [None, "{", '{"verdicts": 1}'])
def test_a_comparison_that_cannot_be_read_tells_nothing(tmp_path, text):
    """Nor one that is not there: whoever builds says what is wrong with it."""
    if text is not None:
        (tmp_path / "comparison.json").write_text(text)

    assert not explain_waiver(tmp_path / "model.int8.onnx")
