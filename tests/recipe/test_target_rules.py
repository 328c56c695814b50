"""What a TensorRT can be together with the rest of a recipe."""

from __future__ import annotations

import pytest

from trtbuild.core.errors import RecipeError
from trtbuild.recipe.load import load_recipe

RECIPE = """\
version: 1
name: small
model: {{kind: onnx, path: m.onnx}}
data: {{calib: {{kind: arrays, path: c.npz}}}}
{quantization}
targets:
  it: {target}
"""
SECTION = "quantization: {{mode: {mode}, data: calib, calibrator: {{kind: {kind}}}{more}}}"
TEN = "{kind: tensorrt10}"
NATIVE = ", calibrate_with: tensorrt"
HALF = ", high_precision: fp16"
PROFILE = "profiles: [{{x: {{min: [4], opt: [4], max: [{}]}}}}]"


def section(mode="implicit", kind="entropy2", more=""):
    return SECTION.format(mode=mode, kind=kind, more=more)


@pytest.fixture
def told(tmp_path):
    """Return what is wrong with a recipe, as `line: message`."""

    def run(target, quantization=""):
        path = tmp_path / "r.yaml"
        path.write_text(RECIPE.format(target=target, quantization=quantization))
        try:
            load_recipe(path)
        except RecipeError as error:
            return [f"{each.mark.line}: {each.message}" for each in error.problems]
        return []

    return run


@pytest.mark.parametrize(
    ("target", "quantization"),
    [
        (TEN, section()),
        (TEN, section("explicit")),
        (TEN, section(kind="legacy", more=NATIVE)),
        ("{kind: tensorrt10, dla_core: 0}", section(more=NATIVE)),
        ("{kind: tensorrt10, dla_core: 0, fp16: true}", ""),
        ("{kind: tensorrt10, dla_core: 0, gpu_fallback: true}", section(more=", skip: [head]")),
        ("{kind: tensorrt10, io_types: {x: half}, fp16: true}", ""),
        ("{kind: tensorrt10, ranges_as: cache}", section()),
        ("{kind: tensorrt11, dla_core: 0}", section("explicit", more=HALF + ", skip: [head]")),
        ("{kind: tensorrt11, dla_core: 0}", "precision: fp16"),
        ("{kind: tensorrt11, dla_core: 0, gpu_fallback: true}", section("explicit")),
        ("{kind: tensorrt11, dla_core: 0}", "precision: fp16\n" + PROFILE.format(4)),
    ],
)
def test_what_goes_together_is_accepted(told, target, quantization):
    """Implicit or explicit, natively calibrated, on a DLA."""
    assert [] == told(target, quantization)


@pytest.mark.parametrize(
    ("target", "quantization", "expected"),
    [
        ("{kind: tensorrt11}", section(), "5: tensorrt11 (target `it`) cannot build with `mode"),
        ("{kind: tensorrt10, dla_core: 0}", section("explicit"), "7: a DLA takes no Q/DQ nodes"),
        (
            "{kind: tensorrt11, dla_core: 0}",
            section("explicit"),
            "7: a DLA computes in INT8 and FP16, and what is not INT8 here is fp32",
        ),
        (
            "{kind: tensorrt11, dla_core: 0}",
            "precision: bf16",
            "7: a DLA computes in INT8 and FP16",
        ),
        (
            "{kind: tensorrt11, dla_core: 0}",
            section("explicit", more=HALF + ", precision: {head: fp32}"),
            "5: a DLA computes no layer in float, and `precision` asks for that",
        ),
        (
            "{kind: tensorrt11, dla_core: 0}",
            "precision: fp16\n" + PROFILE.format(8),
            "6: a DLA (target `it`) takes one size alone, not a range",
        ),
        (
            "{kind: tensorrt10, dla_core: 0, fp16: true}",
            f"{PROFILE.format(4)}, {{x: {{min: [2], opt: [2], max: [2]}}}}]".replace("}}],", "}},"),
            "5: a DLA (target `it`) takes one size of each input, of one profile",
        ),
        ("{kind: tensorrt10, dla_core: 0}", "", "7: a DLA computes in INT8 and FP16"),
        (
            "{kind: tensorrt10, dla_core: 0}",
            section(kind="minmax", more=NATIVE),
            "5: a DLA takes no calibrator of TensorRT but entropy2",
        ),
        (
            "{kind: tensorrt10, dla_core: 0}",
            section(more=", skip: [head]"),
            "5: a DLA computes no layer in float, and `skip` asks for that",
        ),
        (
            "{kind: tensorrt10, dla_core: 0, fp16: true}",
            section(more=", precision: {head: fp32}"),
            "5: a DLA computes no layer in float, and `precision` asks for that",
        ),
        ("{kind: tensorrt10, io_types: {x: half}}", "", "7: the network is strongly typed"),
        (
            "{kind: tensorrt10, ranges_as: cache}",
            section("explicit"),
            "7: `ranges_as` means something only with `mode: implicit`",
        ),
        (
            "{kind: tensorrt11}",
            section("explicit", more=NATIVE),
            "5: calibrators left TensorRT in 11.0",
        ),
        (TEN, section(kind="mse", more=NATIVE), "5: TensorRT has no such calibrator"),
        (TEN, section(more=", weights: {kind: mse}"), "5: `weights` has no effect"),
    ],
)
def test_what_does_not_is_told_at_its_line(told, target, quantization, expected):
    """Before anything runs."""
    [found] = told(target, quantization)

    assert found.startswith(expected)


@pytest.mark.parametrize("option", ["ranges_as: cache", "fp16: true", "io_types: {x: half}"])
def test_an_option_of_another_flavour_says_where_it_belongs(tmp_path, option):
    """`tensorrt11` has no precision flags: the hint names the kind that does."""
    path = tmp_path / "r.yaml"
    path.write_text(RECIPE.format(target=f"{{kind: tensorrt11, {option}}}", quantization=""))

    with pytest.raises(RecipeError) as caught:
        load_recipe(path)

    [problem] = caught.value.problems
    assert 7 == problem.mark.line
    assert "tensorrt10" in problem.hint


@pytest.mark.parametrize(
    ("word", "meant"), [("float16", "half"), ("fp16", "half"), ("fp32", "float"), ("int-8", "int8")]
)
def test_a_type_by_another_name_is_known(tmp_path, word, meant):
    """`float16` looks most like `float`, which it does not mean."""
    recipe = tmp_path / "r.yaml"
    recipe.write_text(
        "version: 1\nname: a\nmodel: {kind: onnx, path: m.onnx}\n"
        f"targets: {{it: {{kind: tensorrt10, fp16: true, io_types: {{x: {word}}}}}}}\n"
    )

    with pytest.raises(RecipeError) as caught:
        load_recipe(recipe)

    assert [f"did you mean `{meant}`?"] == [each.hint for each in caught.value.problems]


def test_tensorrt_calibrates_no_model_that_is_fed_values(told):
    """Its calibrators are fed arrays on the device, and values of shapes are not."""
    profile = "profiles: [{x: {min: [1], opt: [1], max: [1]}, s: {values: true, %s}}]"
    section_of = section("explicit", more=NATIVE) + "\n" + profile % "min: [1], opt: [1], max: [1]"

    (line,) = told(TEN, section_of)
    assert line.startswith(
        "5: TensorRT cannot calibrate a model whose shapes rest on values, as of `s`"
    )
    assert [] == told(TEN, section_of.replace(NATIVE, ""))


@pytest.mark.parametrize(
    ("before", "after", "hint"),
    [
        ("min", "[4, 3]", "write {min: [4, 3], opt: [4, 3], max: [4, 3]}"),
        ("gpu", "sm90", "write `sm_90`"),
        ("gpu", "SM_8.6", "write `sm_86`"),
        ("gpu", "mine", "`nvidia-smi --query-gpu=name,compute_cap --format=csv` prints it"),
        ("gpu", "H100", "write `sm_90`"),
        ("targets", "[it]", "write `name: value`, without dashes or brackets"),
    ],
)
def test_what_to_write_instead_is_told(tmp_path, before, after, hint):
    """And not the pattern that a text must match, nor that of a list which has no dashes."""
    values = {
        "min": "{min: [1], opt: [1], max: [1]}",
        "gpu": "sm_80",
        "targets": "{it: {kind: tensorrt11, gpu: %s}}",
    }
    values[before] = after
    targets = values["targets"].replace("%s", values["gpu"])
    path = tmp_path / "r.yaml"
    path.write_text(
        "version: 1\nname: a\nmodel: {kind: onnx, path: m.onnx}\n"
        f"profiles: [{{x: {values['min']}}}]\ntargets: {targets}\n"
    )

    with pytest.raises(RecipeError) as caught:
        load_recipe(path)

    assert [hint] == [each.hint for each in caught.value.problems]
