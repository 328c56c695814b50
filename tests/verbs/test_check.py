"""Which model of a recipe is held against the rules, and that it is told."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from tests.helpers.projects import edit
from tests.helpers.rules import FIRES
from trtbuild.core.errors import StepInputError
from trtbuild.recipe.load import load_recipe
from trtbuild.run.inline import Inline
from trtbuild.verbs.check import check_file, check_recipe

RANGES = "quantization: {ranges: {x: 1.0}}\n"
RTX = "  rtx: {kind: tensorrt_rtx, compute_capabilities: [8.9]}\n"


def checked(recipe, store):
    return check_recipe(load_recipe(recipe), store, Inline())


def test_a_file_is_checked_as_it_is(tmp_path):
    """With the faults that it has, for no target."""
    onnx.save(FIRES["TB102"]().model, tmp_path / "m.onnx")

    found = check_file(tmp_path / "m.onnx")

    assert (tmp_path / "m.onnx", "") == (found.file, found.target)
    assert "TB102" in [fault.code for fault in found.checks.faults]


def test_what_is_no_model_is_said_to_be(tmp_path):
    """Before any rule is asked."""
    (tmp_path / "m.onnx").write_text("nothing")

    with pytest.raises(StepInputError):
        check_file(tmp_path / "m.onnx")


def test_an_int8_model_that_costs_nothing_is_made(tiny, store):
    """Its ranges are given; once made, it is the one from the store."""
    (first,) = checked(tiny, store)
    (again,) = checked(tiny, store)

    assert "the INT8 model" == first.what
    assert "the INT8 model from the store" == again.what
    assert (24, 24) == (first.checks.coverage.macs, first.checks.coverage.asked_macs)


def test_nothing_is_calibrated_to_be_checked(tiny, store):
    """Ranges that stand in tell where the pairs would go, and nothing about scales."""
    np.save(tiny.parent / "x.npy", np.ones((2, 4), np.float32))
    section = "quantization: {data: d, calibrator: {kind: minmax}}\n"
    edit(tiny, RANGES, "data: {d: {kind: arrays, path: x.npy, input: x}}\n" + section)

    (found,) = checked(tiny, store)

    assert "nothing is calibrated yet" in found.what
    assert 24 == found.checks.coverage.asked_macs
    assert not [s for s in store.root.glob("actions/*.json") if "calibrate" in s.read_text()]


@pytest.mark.parametrize(
    ("expected", "section"),
    [("the fixed model", ""), ("the fixed model in fp16", "precision: fp16\n")],
)
def test_a_recipe_without_int8_is_checked_in_its_own_type(tiny, store, expected, section):
    """No rule about INT8 has anything to say."""
    edit(tiny, RANGES, section)

    (found,) = checked(tiny, store)

    assert expected == found.what
    assert 0 == found.checks.coverage.asked_macs
    assert () == found.checks.faults


def test_each_target_has_its_own_answer(tiny, store):
    """One that is no TensorRT is nothing to check for; its neighbours are."""
    edit(tiny, "  ort: {kind: onnxruntime}\n", "  ort: {kind: onnxruntime}\n" + RTX)

    assert ["rtx"] == [each.target for each in checked(tiny, store)]
