"""The steps that find ranges, and which there are none of."""

from __future__ import annotations

import pytest

from tests.helpers.projects import edit, small_project
from trtbuild import api
from trtbuild.plan.quantizing import list_manual_ranges
from trtbuild.recipe.schema import Quantization


def test_a_limit_means_both_sides():
    """6 is -6 to 6; two numbers are what they are."""
    section = Quantization.model_validate_json('{"ranges": {"a": 6, "b": [-1, 2.5]}}')

    assert {"a": (-6.0, 6.0), "b": (-1.0, 2.5)} == list_manual_ranges(section)


@pytest.mark.parametrize(
    ("calibrator", "step"),
    [
        ("calibrator: {kind: minmax}", "calibrate"),
        ("calibrator: {kind: cache, path: old.cache}", "import_ranges"),
        ('ranges: {"*": 6}', None),
    ],
)
def test_ranges_are_found_by_the_step_for_it(calibrator, step, tmp_path, monkeypatch):
    """A calibrator's, a table's, or none where all are given by hand."""
    monkeypatch.setenv("TRTBUILD_STORE", str(tmp_path / "store"))
    recipe = small_project(tmp_path)
    (tmp_path / "old.cache").write_text("TRT-8601-EntropyCalibration2\ninput: 3c010a14\n")
    edit(recipe, "  data: calib\n  calibrator: {kind: minmax}", f"  data: calib\n  {calibrator}")
    if step != "calibrate":
        edit(recipe, "quantization:\n  data: calib\n", "quantization:\n")
    names = {each.name for each in api.plan(recipe).plan.steps}

    assert {step} - {None} == names & {"calibrate", "import_ranges"}
    assert "quantize" in names


@pytest.mark.parametrize(("into", "kind"), [("int8", "auto"), ("fp8", "minmax")])
def test_auto_clips_nothing_where_values_are_rounded_by_their_size(
    into, kind, tmp_path, monkeypatch
):
    """FP8 gains nothing by it; variants of both types may share the line."""
    monkeypatch.setenv("TRTBUILD_STORE", str(tmp_path / "store"))
    recipe = small_project(tmp_path)
    edit(recipe, "calibrator: {kind: minmax}", f"type: {into}\n  calibrator: {{kind: auto}}")
    (step,) = (each.step for each in api.plan(recipe).plan.steps if each.name == "calibrate")

    assert kind == step.calibrator.kind
