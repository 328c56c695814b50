"""Where ranges come from, and what needs data."""

from __future__ import annotations

import pytest

from tests.recipe.test_precision_rules import read, told

CALIBRATED = "data: calib, calibrator: {kind: minmax}"
FITTED = {
    "rounding": "rounding: reconstructed",
    "bias_correction": "bias_correction: true",
    "equalize": "equalize: [{kind: cross_layer}]",
}


@pytest.mark.parametrize("option", FITTED)
def test_what_is_fitted_needs_data(option):
    """And with ranges by hand, data may serve it alone."""
    asked = FITTED[option]
    read(f"quantization: {{{CALIBRATED}, {asked}}}\n")
    read(f"quantization: {{ranges: {{x: 1.0}}, data: calib, {asked}}}\n")

    ((path, message, hint),) = told(f"quantization: {{ranges: {{x: 1.0}}, {asked}}}\n")

    assert ("quantization", option) == path
    assert "there is no `data`" in message
    assert hint.startswith("name what it looks at: `data: ...`")


@pytest.mark.parametrize("option", ["rounding", "bias_correction"])
def test_where_tensorrt_rounds_nothing_else_does(option):
    """`mode: implicit` leaves weights to it."""
    text = f"quantization: {{mode: implicit, {CALIBRATED}, {FITTED[option]}}}\n"

    assert [("quantization", option)] == [
        path for path, message, _ in told(text) if "TensorRT rounds weights itself" in message
    ]


def test_ranges_of_another_model_are_none_of_the_equalized_one():
    """A cache was made before."""
    text = "calibrator: {kind: cache, path: c.cache}, data: calib, equalize: [{kind: smooth}]"

    ((path, message, _),) = told(f"quantization: {{{text}}}\n")

    assert ("quantization", "equalize") == path
    assert "found before" in message


def test_a_kind_of_equalization_is_asked_for_once():
    """Two alphas of one kind cannot both count."""
    text = f"{CALIBRATED}, equalize: [{{kind: smooth}}, {{kind: smooth, alpha: 0.7}}]"

    ((path, message, _),) = told(f"quantization: {{{text}}}\n")

    assert ("quantization", "equalize", 1) == path
    assert "`smooth` stands here twice" == message
