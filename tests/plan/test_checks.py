"""What the rules ask of a recipe's target."""

from __future__ import annotations

from pathlib import Path

import pytest

from trtbuild.plan.checks import describe_build_target
from trtbuild.recipe.load import check_source
from trtbuild.recipe.source import parse_recipe_text

RECIPE = """\
version: 1
name: tiny
model: {kind: onnx, path: tiny.onnx}
data:
  calib: {kind: images, path: a, preprocess: {scale: 0.0039}}
  eval: {kind: images, path: b, preprocess: {scale: 0.0039}}
  other: {kind: images, path: b, preprocess: {scale: 1.0, mean: [1, 2, 3]}}
  arrays: {kind: arrays, path: c.npz}
quantization: {data: calib, calibrator: {kind: minmax}}
compare: {data: DATA}
targets: {rtx: {kind: tensorrt_rtx, compute_capabilities: [8.9]}}
"""


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("eval", ""),
        ("arrays", ""),
        ("other", "mean [] and [1.0, 2.0, 3.0], scale 0.0039 and 1.0"),
    ],
)
def test_preprocessing_is_compared_option_by_option(data, expected):
    """Calibration's first; data without the option tells nothing."""
    text = RECIPE.replace("DATA", data).encode()
    recipe = check_source(Path("tiny.yaml"), parse_recipe_text("tiny.yaml", text)).recipe

    assert expected == describe_build_target(recipe.targets["rtx"], recipe).unlike_preprocessing
