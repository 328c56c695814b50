"""Which steps a refit has in the place of a build."""

from __future__ import annotations

from tests.plan.test_compile import DATA, RECIPE, steps_of
from trtbuild.plan.refitting import DRIFT, RefitRequest, Refitted
from trtbuild.steps.base import Pinned

OLD = Pinned(path="old", digest="sha256:0")
SECTION = "quantization: {data: calib, calibrator: {kind: minmax}}\n"
BUILT = RECIPE.replace("reference: {kind: onnxruntime}", "it: {kind: tensorrt11, gpu: sm_90}")
ENGINE = Refitted("it", OLD, OLD, ("w",))


def test_values_are_held_to_those_of_before(tmp_path):
    """On the data that ranges were found with; or, without that, on what is compared."""
    asked = RefitRequest(OLD, 4)
    steps = steps_of(tmp_path, RECIPE + DATA + SECTION, refit=asked)
    manual = "quantization: {ranges: {x: 1.0}}\n"
    other = steps_of(tmp_path, RECIPE + DATA + manual, refit=asked)

    assert (OLD, "fix_graph", 4) == (
        (drift := steps[DRIFT]).before,
        drift.after.step,
        drift.samples,
    )
    assert "capture_data(calib)" == drift.data.manifest.step
    assert "capture_data(eval)" == other[DRIFT].data.manifest.step
    assert DRIFT not in steps_of(tmp_path, RECIPE + DATA, refit=asked)
    assert DRIFT not in steps_of(tmp_path, RECIPE + DATA + SECTION)


def test_an_engine_takes_weights_where_it_would_be_built(tmp_path):
    """From the model that it would be built from, on its GPU, beside whoever else is there."""
    text = BUILT + DATA + SECTION
    built = steps_of(tmp_path, text)["build_engine(it)"]
    step = steps_of(tmp_path, text, refit=RefitRequest(OLD, 4, ENGINE))["build_engine(it)"]

    assert ("refit_engine", "tensorrt11", ("w",)) == (step.kind, step.flavour, step.changed)
    assert built.model == step.model
    assert ("9.0", False) == (step.needs().gpu.capability, step.needs().gpu.alone)
