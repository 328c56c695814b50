"""The type that is quantized to, beside the rest of a recipe."""

from __future__ import annotations

import pytest

from trtbuild.backends.tensorrt11 import Tensorrt11
from trtbuild.backends.tensorrt_rtx import TensorrtRtx
from trtbuild.core.errors import RecipeError
from trtbuild.core.quantized_types import FP8, INT8
from trtbuild.recipe.load import load_recipe
from trtbuild.recipe.type_rules import multiplies

RECIPE = """\
version: 1
name: small
model: {{kind: onnx, path: m.onnx}}
data: {{calib: {{kind: arrays, path: c.npz}}}}
quantization: {{type: {kind}{more}}}
targets:
  it: {target}
"""
ADA = "{kind: tensorrt_rtx, compute_capabilities: [8.9, 12.0]}"


@pytest.fixture
def told(tmp_path):
    """Return what is wrong with a recipe, as `message | hint`."""

    def run(*, target=ADA, more="", kind="fp8", ranges=", data: calib, calibrator: {kind: minmax}"):
        path = tmp_path / "r.yaml"
        path.write_text(RECIPE.format(kind=kind, target=target, more=ranges + more))
        try:
            assert kind == load_recipe(path).recipe.quantized
        except RecipeError as error:
            return [f"{each.mark.line}: {each.message} | {each.hint}" for each in error.problems]
        return []

    return run


@pytest.mark.parametrize(
    "target",
    [ADA, "{kind: tensorrt11}", "{kind: tensorrt11, gpu: sm_90}", "{kind: tensorrt10, gpu: '8.9'}",
     "{kind: onnxruntime}"],
)  # fmt: skip
def test_fp8_is_for_gpus_that_multiply_it(told, target):
    """A target that names no GPU may be built on any: TensorRT says there what it lacks."""
    assert [] == told(target=target)


@pytest.mark.parametrize(
    ("line", "capabilities", "hint", "target"),
    [
        (7, "8.0 and 8.6", "[8.9]", "{kind: tensorrt_rtx, compute_capabilities: [8.0, 8.6, 8.9]}"),
        (7, "8.6", "[8.9, 12.0]", "{kind: tensorrt_rtx}"),
        (7, "7.5", "[8.9]", "{kind: tensorrt_rtx, compute_capabilities: [7.5]}"),
    ],
)
def test_earlier_gpus_are_refused_before_anything_is_calibrated(
    told, line, capabilities, hint, target
):
    """TensorRT-RTX would refuse the whole engine at the end; the way out is a line to write."""
    [found] = told(target=target)

    assert found.startswith(f"{line}: FP8 cannot be computed on {capabilities}: it is for compute")
    assert f"`compute_capabilities: {hint}`, or use `type: int8`" in found


def test_a_gpu_that_is_named_is_held_to_it_as_well(told):
    """An A100 has no FP8."""
    [found] = told(target="{kind: tensorrt11, gpu: sm_80}")

    assert "FP8 cannot be computed on 8.0" in found
    assert "build it for another `gpu`, or use `type: int8`" in found


def test_a_dla_has_no_fp8(told):
    """It computes in INT8 and FP16."""
    found = told(target="{kind: tensorrt11, dla_core: 0, gpu_fallback: true}")

    assert "a DLA computes in INT8 and FP16, and this recipe quantizes to FP8" in found[0]


@pytest.mark.parametrize(
    ("message", "more"),
    [
        ("`rounding` is for INT8", ", rounding: reconstructed"),
        ("`block_size` is for `type: int4`, and this recipe quantizes to FP8", ", block_size: 64"),
        ("`bias_correction` is for INT8", ", bias_correction: true"),
        ("`mode: implicit` is of INT8 alone", ", mode: implicit"),
        ("`mse` chooses the limits with which INT8 errs least",
         ', calibrators: {"*": {kind: mse}}'),
        ("INT4 is for weights alone: a model has it, or types that multiply",
         ", precision: {head: int4}"),
    ],
)  # fmt: skip
def test_what_is_made_for_int8_is_refused(told, message, more):
    """With what to do instead."""
    found = told(more=more)

    assert any(message in each for each in found), found
    assert all(" | " in each and not each.endswith("| ") for each in found)


def test_single_nodes_may_be_of_another_type(told):
    """What that wants holds for the recipe: here GPUs that multiply FP8."""
    early = "{kind: tensorrt_rtx, compute_capabilities: [8.6, 8.9]}"
    assert [] == told(more=", precision: {head: fp32, tail: fp8, body: int8}")
    assert [] == told(kind="int8", more=", precision: {h: fp8}")
    assert [] == told(kind="int8", target=early)

    [found] = told(kind="int8", more=", precision: {h: fp8}", target=early)
    assert "FP8 cannot be computed on 8.6" in found
    [found] = told(kind="int8", more=", precision: {h: fp8}, bias_correction: true")
    assert "`bias_correction` is for INT8, and layers of this recipe are asked for in FP8" in found


@pytest.mark.parametrize(
    ("more", "fp8"),
    [({"compute_capabilities": (8.9, 12.0)}, True), ({"compute_capabilities": (8.6,)}, False)],
)
def test_a_target_multiplies_what_all_its_gpus_do(more, fp8):
    """INT8 all of them."""
    target = TensorrtRtx(kind="tensorrt_rtx", **more)

    assert (True, fp8) == (multiplies(target, INT8), multiplies(target, FP8))
    assert not multiplies(Tensorrt11(kind="tensorrt11"), FP8)  # nobody knows where


def test_int4_wants_no_ranges(told):
    """It is for weights alone, on any GPU from Ampere on."""
    rtx = "{kind: tensorrt_rtx}"
    assert [] == told(kind="int4", ranges="", target=rtx)
    assert [] == told(kind="int4", ranges=", block_size: channel", target=rtx)

    found = told(kind="int4", target=rtx, more=", ranges: {x: 1.0}")
    assert [
        "`calibrator` is about activations, and INT4 is for weights alone | remove it",
        "`ranges` is about activations, and INT4 is for weights alone | remove it",
    ] == [each.partition(": ")[2] for each in found]


def test_awq_is_for_weights_of_few_bits(told):
    """INT8 and FP8 have activations to equalize."""
    asked = ", data: calib, equalize: [{kind: awq}]"

    assert [] == told(kind="int4", ranges="", more=asked)
    assert "`awq` is for `type: int4`" in told(more=", equalize: [{kind: awq}]")[0]


def test_turing_has_no_int4(told):
    """The whole engine would be refused."""
    target = "{kind: tensorrt_rtx, compute_capabilities: [7.5, 8.6]}"
    [found] = told(kind="int4", ranges="", target=target)

    assert "INT4 cannot be computed on 7.5" in found
