"""The compare step: from files of outputs to comparison.json."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from tests.helpers.models import model_of
from trtbuild.core.arrays import write_npz
from trtbuild.core.errors import CorruptObject, StepInputError
from trtbuild.core.needs import INFERENCE_DEVICE
from trtbuild.core.records import Comparison
from trtbuild.data.arrays import Arrays
from trtbuild.data.base import Manifest, ValueSpan
from trtbuild.measure.gates import Gate
from trtbuild.steps.base import Context, QuietEvents, Ref
from trtbuild.steps.capture_data import DataInput
from trtbuild.steps.compare import CompareOutputs

DATA = DataInput(
    source=Arrays(kind="arrays", path="eval.npz"),
    files=(),
    manifest=Ref(step="capture_data(eval)", output="manifest"),
    stored=Ref(step="capture_data(eval)", output="samples"),
)
MODEL = Ref(step="fix_graph", output="model")
FLOAT = "g (float[N, 2] x) => (float[N, 2] y) { y = Relu(x) }"
PAIR = """
g (float[N, 2] x) => (float[N, 2] y) <float s = {0.1}, int8 z = {0}> {
  q = QuantizeLinear(x, s, z)
  y = DequantizeLinear(q, s, z)
}
"""
SCORES = np.array([[9, 1], [1, 9], [9, 1]], np.float32)


class Setup:
    """A step with its inputs on disk."""

    def __init__(self, folder):
        self.folder = folder
        self.events = QuietEvents()
        self.inputs = {}
        self.labels()
        self.outputs("reference", y=SCORES)
        self.outputs("candidate", y=SCORES)
        self.model(FLOAT)

    def model(self, text):
        """Write the model that is taken as right."""
        onnx.save(model_of(text), self.folder / "model.onnx")
        self.inputs["fix_graph/model"] = self.folder / "model.onnx"

    def labels(self, *labels, count=3):
        """Write the manifest of the data."""
        manifest = Manifest(
            count=count,
            samples=tuple(f"sha256:{place}" for place in range(count)),
            tensors=(),
            labelled=bool(labels),
            labels=labels,
        )
        path = self.folder / "manifest.json"
        path.write_text(manifest.model_dump_json())
        self.inputs["capture_data(eval)/manifest"] = path

    def outputs(self, side, **arrays):
        """Write what a model made of the data."""
        path = self.folder / f"{side}.npz"
        with write_npz(path) as writer:
            for name, array in arrays.items():
                writer.add(name, array)
        self.inputs[f"infer({side})/outputs"] = path

    def run(self, *metrics, gates=(), caveats=(), name="", facts=None, **more) -> Comparison:
        """Run the step and read what it wrote."""
        out = self.folder / "out"
        out.mkdir(exist_ok=True)
        step = CompareOutputs(
            reference=Ref(step="infer(reference)", output="outputs"),
            candidate=Ref(step="infer(candidate)", output="outputs"),
            reference_model=MODEL,
            reference_name=name,
            data=DATA,
            metrics=metrics,
            gates=gates,
            **more,
        )
        step.run(
            Context(
                inputs=self.inputs,
                out=out,
                caveats=caveats,
                events=self.events,
                facts=facts or {},
            )
        )
        self.text = (out / "comparison.json").read_text()
        return Comparison.model_validate_json(self.text)


@pytest.fixture
def setup(tmp_path):
    return Setup(tmp_path)


def test_every_metric_is_measured_on_every_output(setup):
    """Outputs come in the model's order, metrics in the recipe's."""
    setup.outputs("reference", z=SCORES, a=SCORES)
    setup.outputs("candidate", z=SCORES, a=SCORES)

    comparison = setup.run("max_abs", "cosine")

    assert [("z", "max_abs"), ("z", "cosine"), ("a", "max_abs"), ("a", "cosine")] == [
        (each.output, each.metric) for each in comparison.measures
    ]
    assert 3 == comparison.samples


def test_the_comparison_says_what_ran(setup):
    """ONNX Runtime's numbers are not an engine's."""
    comparison = setup.run("cosine")

    assert "ONNX Runtime on the CPU" == comparison.runner
    assert ("FP32 model", "INT8 model (Q/DQ)") == (comparison.reference, comparison.candidate)


def test_a_gpu_that_ran_both_is_named(setup):
    """Its last bits are others; and it is a fact of the step, or the step would not know it."""
    comparison = setup.run("cosine", facts={INFERENCE_DEVICE: "NVIDIA L4 (8.9), CUDA"})

    assert "ONNX Runtime on NVIDIA L4 (8.9), CUDA" == comparison.runner


def test_caveats_stand_beside_the_numbers(setup):
    """Seeded weights stay seeded weights."""
    assert ("seeded weights",) == setup.run("cosine", caveats=("seeded weights",)).caveats


def test_labels_come_from_the_manifest(setup):
    """FP32 is right three times of three, the candidate twice."""
    setup.labels(0, 1, 0)
    setup.outputs("candidate", y=SCORES[[0, 1, 1]])

    comparison = setup.run("top1")

    assert comparison.labelled
    assert [(1.0, 2 / 3)] == [(each.reference, each.value) for each in comparison.measures]


def test_a_gate_on_an_unlisted_metric_has_it_measured(setup):
    """A gate alone is reason enough to measure."""
    gates = (Gate(metric="cosine", at_least=0.9),)

    comparison = setup.run("max_abs", gates=gates)

    assert [True] == [each.passed for each in comparison.verdicts]
    assert ["max_abs", "cosine"] == [each.metric for each in comparison.measures]


def test_a_failed_gate_is_an_answer(setup):
    """The step succeeds, and its comparison says no."""
    setup.outputs("candidate", y=-SCORES)

    comparison = setup.run("cosine", gates=(Gate(metric="cosine", at_least=0.9),))

    assert [False] == [each.passed for each in comparison.verdicts]


def test_top1_without_labels_is_noted(setup):
    """What was asked for and not measured is said once, and not only in the table."""
    setup.run("cosine", "top1", "top5")

    assert ["top1, top5: not measured, the data has no classes as labels"] == setup.events.notes


def test_an_output_that_vanished_is_in_the_comparison(setup):
    """Each side's extra output is listed, without a value."""
    setup.outputs("candidate", other=SCORES)

    comparison = setup.run("cosine")

    assert [
        ("y", None, "the candidate has no such output"),
        ("other", None, "the reference has no such output"),
    ] == [(each.output, each.value, each.remark) for each in comparison.measures]


def test_outputs_of_other_samples_are_refused(setup):
    """Outputs for two samples where the data holds three cannot be paired."""
    setup.outputs("candidate", y=SCORES[:2])

    with pytest.raises(StepInputError, match=r"candidate's output `y` has shape \[2, 2\].* 3 samp"):
        setup.run("cosine")


def test_a_model_without_outputs_is_refused(setup):
    """Nothing compared must not read as nothing wrong."""
    setup.outputs("reference")

    with pytest.raises(StepInputError, match="the reference has no outputs"):
        setup.run("cosine")


def test_torn_outputs_are_named(setup):
    """Half a file is an error, not a shorter comparison."""
    path = setup.inputs["infer(candidate)/outputs"]
    path.write_bytes(path.read_bytes()[:100])

    with pytest.raises(CorruptObject, match=r"candidate\.npz"):
        setup.run("cosine")


def test_equal_inputs_give_equal_bytes(setup):
    """A comparison holds no times and no order by chance."""
    setup.run("cosine", "sqnr_db", "max_abs", "top1_agreement")
    first = setup.text
    setup.run("cosine", "sqnr_db", "max_abs", "top1_agreement")

    assert first == setup.text


@pytest.mark.parametrize(
    ("expected", "model", "name"),
    [
        (("FP32 model", "FP32"), FLOAT, ""),
        (("FP16 source", "FP16"), FLOAT.replace("float", "float16"), ""),
        (("source as it came: INT8 Q/DQ", "INT8 Q/DQ"), PAIR, ""),
        (("reference a.onnx (FP32)", "FP32"), FLOAT, "reference a.onnx"),
    ],
)
def test_the_reference_is_called_what_it_is(setup, expected, model, name):
    """By the type of its numbers, read from the model."""
    setup.model(model)
    found = setup.run("cosine", name=name)

    assert expected == (found.reference, found.reference_type)


def test_nothing_is_judged_by_a_model_that_is_quantized_itself(setup):
    """Equal as the two are; but what counts right answers needs no reference."""
    setup.labels(0, 1, 0)
    setup.model(PAIR)
    gates = (Gate(metric="cosine", at_least=0.9), Gate(metric="top1", at_least=1, drop_at_most=0))
    cosine, top1, drop = setup.run("cosine", gates=gates).verdicts

    assert [(False, False), (True, True), (False, False)] == [
        (each.judged, each.passed) for each in (cosine, top1, drop)
    ]
    assert "no float model to compare with, only the source as it came: INT8 Q/DQ" in cosine.remark


NMS = "g (float[N, 2] x) => (float[N, 2] z) { y = Relu(x)  [nms0] z = EfficientNMS_TRT(y) }"


def test_what_an_engine_has_behind_a_plugin_is_measured_against_nothing(tmp_path):
    """ONNX Runtime cannot run it: what both have is compared, and no gate is judged on the rest."""
    setup = Setup(tmp_path)
    setup.model(NMS)
    setup.outputs("candidate", y=SCORES, z=SCORES)
    gate = Gate(metric="cosine", at_least=0.9)

    some = setup.run("cosine", gates=(gate,))
    setup.outputs("candidate", z=SCORES)
    none = setup.run("cosine", gates=(gate,))

    assert [("y", True)] == [(each.output, each.passed) for each in some.verdicts]
    assert () == none.measures
    assert [(False, False, "all outputs stand behind EfficientNMS_TRT `nms0`")] == [
        (each.passed, each.judged, each.remark) for each in none.verdicts
    ]


def span(high):
    return {"x": ValueSpan(low=0, high=high, mean=high / 2, deviation=high / 4, values=1000)}


@pytest.mark.parametrize(
    ("warnings", "notes", "high", "off"),
    [(1, 0, 255, ""), (0, 1, 255, "it is meant"), (0, 0, 1, "")],
)
def test_calibration_on_values_of_another_scale_is_a_warning(setup, warnings, notes, high, off):
    """With both ranges; or, where the rule is turned off, a note with the reason."""
    held = Manifest.model_validate_json((setup.folder / "manifest.json").read_text())
    for name, spans in (("manifest", span(1)), ("calib", span(high))):
        path = setup.folder / f"{name}.json"
        samples = tuple(f"sha256:{name}{place}" for place in range(held.count))
        own = {"spans": spans, "samples": samples}
        path.write_text(held.model_copy(update=own).model_dump_json())
    setup.inputs["capture_data(calib)/manifest"] = setup.folder / "calib.json"
    seen = Ref(step="capture_data(calib)", output="manifest")
    setup.run("cosine", calibration=seen, off=off)

    assert (warnings, notes) == (len(setup.events.warnings), len(setup.events.notes))
    for told in (*setup.events.warnings, *setup.events.notes):
        assert told.startswith("TB406 `x`: calibration saw 0 to 255 (mean 128, deviation 63.8), ")


def test_a_sample_that_may_decide_alone_and_samples_twice_are_warned_of(setup):
    """Whatever calibration saw: both are of the samples that are compared on."""
    path = setup.folder / "manifest.json"
    held = Manifest.model_validate_json(path.read_text())
    own = {"peaks": {"x": (1.0, 1.0, 80.0, *[1.0] * 6)}, "samples": ("sha256:0",) * 3}
    path.write_text(held.model_copy(update=own).model_dump_json())
    setup.run("cosine")

    first, second = setup.events.warnings
    assert first.startswith("sample 2 of those that are compared on holds 80 in `x`, 80 times the ")
    assert second.startswith("the 3 samples that are compared on are only 1 different ones: ")


def test_why_labels_do_not_fit_is_told(setup):
    """Beside what was measured; where nothing was, in the warning."""
    setup.labels(0, 1, 7)
    setup.run("cosine", "top1")
    setup.run("top1")

    why = "labels go from 0 to 7, but there are 2 scores"
    assert [f"top1: not measured: {why}"] == setup.events.notes
    (warning,) = setup.events.warnings
    assert warning.startswith("nothing was compared: no metric says anything of an output (")
    assert f"(top1: {why}; hint: " in warning
