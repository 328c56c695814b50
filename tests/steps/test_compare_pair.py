"""The comparison of two models that somebody else made."""

from __future__ import annotations

from tests.steps.test_compare import DATA, MODEL, SCORES, Setup
from trtbuild.core.records import Comparison
from trtbuild.measure.gates import Gate
from trtbuild.steps.base import Context, Ref
from trtbuild.steps.compare_pair import ComparePair
from trtbuild.steps.infer_engine import EngineRunner


def compare(tmp_path, **more):
    setup = Setup(tmp_path)
    setup.outputs("candidate", y=SCORES)
    for side in ("reference", "candidate"):
        path = tmp_path / f"{side}.json"
        path.write_text(EngineRunner(runner=f"the {side}'s").model_dump_json())
        setup.inputs[f"infer({side})/runner"] = path
    step = ComparePair(
        reference=Ref(step="infer(reference)", output="outputs"),
        candidate=Ref(step="infer(candidate)", output="outputs"),
        reference_name="a",
        candidate_name="b",
        data=DATA,
        **{"metrics": ("cosine",), **more},
    )
    step.run(Context(inputs=setup.inputs, out=tmp_path, events=setup.events))
    found = Comparison.model_validate_json((tmp_path / "comparison.json").read_text())
    return found, setup.events


def test_a_model_is_called_by_its_name_and_type(tmp_path):
    """What ran both is said once, and gates are judged."""
    gates = (Gate(metric="cosine", at_least=0.9),)
    found, _ = compare(tmp_path, reference_model=MODEL, gates=gates)

    assert ("a (FP32)", "FP32", "b") == (found.reference, found.reference_type, found.candidate)
    assert "ONNX Runtime on the CPU" == found.runner
    assert [True] == [each.passed for each in found.verdicts]


def test_engines_say_what_ran_each(tmp_path):
    """Of what type their numbers are is not known, and not claimed."""
    runners = {
        f"{side}_runner": Ref(step=f"infer({side})", output="runner")
        for side in ("reference", "candidate")
    }
    found, _ = compare(tmp_path, **runners)

    assert "a (the reference's)" == found.reference
    assert ("reference", "the candidate's") == (found.reference_type, found.runner)


def test_nothing_measured_is_a_warning(tmp_path):
    """A table without a line would pass for good news."""
    _, events = compare(tmp_path, metrics=("top1",), reference_model=MODEL)

    assert any("nothing was compared" in each for each in events.warnings)
