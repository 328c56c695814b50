"""The comparison of an engine with FP32."""

from __future__ import annotations

import pytest

from tests.steps.test_compare import DATA, MODEL, SCORES, Setup
from trtbuild.core.records import Comparison
from trtbuild.measure.gates import Gate
from trtbuild.steps.base import Context, Ref
from trtbuild.steps.compare_engine import CompareEngine
from trtbuild.steps.infer_engine import EngineRunner

RAN = "TensorRT 10.16.1.11 on NVIDIA L4 (8.9)"


def test_an_engine_is_measured_and_judged_as_its_model_is(tmp_path):
    """By the same metrics and gates; each side says what ran it."""
    setup = Setup(tmp_path)
    setup.outputs("candidate", y=-SCORES)
    (tmp_path / "runner.json").write_text(EngineRunner(runner=RAN).model_dump_json())
    step = CompareEngine(
        target="l4",
        reference=Ref(step="infer(reference)", output="outputs"),
        candidate=Ref(step="infer(candidate)", output="outputs"),
        runner=Ref(step="infer_engine(l4)", output="runner"),
        reference_model=MODEL,
        data=DATA,
        metrics=("cosine",),
        gates=(Gate(metric="cosine", at_least=0.9),),
    )
    inputs = {**setup.inputs, "infer_engine(l4)/runner": tmp_path / "runner.json"}

    step.run(Context(inputs=inputs, out=tmp_path, events=setup.events))

    found = Comparison.model_validate_json((tmp_path / "comparison.json").read_text())
    assert ("engine of l4", RAN) == (found.candidate, found.runner)
    assert "FP32 model (ONNX Runtime on the CPU)" == found.reference
    assert [pytest.approx(-1)] == [each.value for each in found.measures]
    assert [False] == [each.passed for each in found.verdicts]
