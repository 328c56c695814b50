"""Which steps change weights, and who reads what they make."""

from __future__ import annotations

from tests.plan.test_compile import DATA, RECIPE, steps_of

ASKED = "quantization: {data: calib, calibrator: {kind: minmax}, %s}\n"


def test_nothing_is_changed_unasked(tmp_path):
    """Neither step is there."""
    steps = steps_of(tmp_path, RECIPE + DATA + ASKED % "weights: {kind: mse}")

    assert {"adjust_weights", "equalize"}.isdisjoint(steps)
    assert steps["quantize"].adjusted is None


def test_what_is_fitted_is_what_would_be_written(tmp_path):
    """To the same scales, whatever decides them; then it is written."""
    options = "rounding: reconstructed, weights: {kind: mse}, skip: [n], high_precision: fp16"
    steps = steps_of(tmp_path, RECIPE + DATA + ASKED % options)

    fitted = steps["adjust_weights"]
    assert (True, False) == (fitted.rounding, fitted.bias)
    assert fitted.quantize == steps["quantize"].model_copy(update={"adjusted": None})
    assert "adjust_weights" == steps["quantize"].adjusted.step
    names = list(steps)
    assert names.index("calibrate") < names.index("adjust_weights") < names.index("quantize")


def test_the_equalized_model_is_the_one_that_is_measured_and_quantized(tmp_path):
    """And the model before it is the one that the result is compared with."""
    options = "equalize: [{kind: smooth, alpha: 0.7}], high_precision: fp16, bias_correction: true"
    steps = steps_of(tmp_path, RECIPE + DATA + ASKED % options)

    readers = ("calibrate", "measure_peaks", "quantize")
    assert {"equalize"} == {steps[name].model.step for name in readers}
    assert "equalize" == steps["adjust_weights"].quantize.model.step
    assert "fix_graph" == steps["infer(reference)"].model.step == steps["equalize"].model.step
    assert 0.7 == steps["equalize"].equalize[0].alpha


def test_an_engine_of_implicit_ranges_is_built_from_the_equalized_model(tmp_path):
    """Its ranges are of that one."""
    text = RECIPE.replace("reference: {kind: onnxruntime}", "ten: {kind: tensorrt10}")
    options = "mode: implicit, equalize: [{kind: cross_layer}]"
    steps = steps_of(tmp_path, text + DATA + ASKED % options)

    assert "equalize" == steps["build_engine(ten)"].model.step
