"""trtbuild check: models held against the static rules, as a user sees it."""

from __future__ import annotations

import onnx
import pytest

from tests.helpers.models import model_of
from tests.helpers.projects import edit
from tests.helpers.qdq import random
from tests.helpers.rules import FIRES, HOLDS

pytestmark = pytest.mark.usefixtures("steps_here")


@pytest.fixture
def model(tmp_path, monkeypatch):
    """Write the model that breaks a rule into the current directory."""
    monkeypatch.chdir(tmp_path)

    def write(code, models=FIRES):
        onnx.save(models[code]().model, "model.onnx")
        return "model.onnx"

    return write


@pytest.mark.parametrize("form", ["text", "json", "github"])
def test_a_model_that_breaks_a_rule(trtbuild, model, golden, form):
    """Code, level, nodes, reason and next move, in every form; a warning is exit code 0."""
    answer = trtbuild("check", model("TB304"), "--format", form)

    assert (0, "") == (answer.code, answer.err)
    golden(f"checks/check.{form}.txt", answer.out)


def test_a_clean_model_is_exit_code_0(trtbuild, model):
    """And it says so."""
    answer = trtbuild("check", model("TB101", HOLDS))

    assert 0 == answer.code
    assert "no rule is broken" in answer.out


def test_a_clean_model_has_no_annotations(trtbuild, model):
    """A pull request shows nothing."""
    assert (0, "") == (
        (answer := trtbuild("check", model("TB101", HOLDS), "--format", "github")).code,
        answer.out,
    )


def test_what_is_no_model_is_told_in_a_sentence(trtbuild, tmp_path):
    """Nothing to check, and no traceback."""
    (tmp_path / "model.onnx").write_bytes(b"nonsense")
    answer = trtbuild("check", tmp_path / "model.onnx")

    assert 3 == answer.code
    assert "hint:" in answer.err


def test_a_recipe_is_checked_without_calibrating(trtbuild, project):
    """Its model is quantized with ranges that stand in, and the answer says so."""
    answer = trtbuild("check", project)

    assert (0, "") == (answer.code, answer.err)
    assert "target rtx: the fixed model, quantized with ranges that stand in" in answer.out
    assert "INT8 is asked for 100.00 %" in answer.out


def test_a_recipe_without_data_is_checked_as_it_would_be_built(trtbuild, project):
    """Ranges by hand cost nothing: the INT8 model is made."""
    edit(project, "  data: calib\n  calibrator: {kind: minmax}\n", "  ranges: {'*': 4.0}\n")

    assert "target rtx: the INT8 model\n" in trtbuild("check", project).out


def test_a_rule_that_is_turned_off_does_not_count(trtbuild, project):
    """The reason stands beside it, and the exit code is 0, even for those who are strict."""
    edit(project, "workspace: 256MiB", "workspace: 1MiB")
    broken = trtbuild("check", project, "--strict")
    edit(project, "targets:", "checks: {off: {TB501: the model is tiny}}\ntargets:")
    answer = trtbuild("check", project, "--strict")

    assert (1, 0) == (broken.code, answer.code)
    assert "TB501 warning: workspace 1.0 MiB is under 64.0 MiB" in broken.out
    assert "TB501 off: workspace 1.0 MiB is under 64.0 MiB" in answer.out
    assert "why it is off: the model is tiny" in answer.out


def test_an_error_stops_the_build(trtbuild, project, tmp_path):
    """Nothing is skipped silently: exit code 3, and no build directory is filled."""
    edit(project, "calibrator: {kind: minmax}", "calibrator: {kind: minmax}\n  skip: ['*']")
    answer = trtbuild("apply", project, "--build-dir", tmp_path / "build", "-q")

    assert 3 == answer.code
    assert "check_model(rtx): TB201 the recipe asks for INT8, and no layer of the model is" in (
        answer.err
    )
    assert not list((tmp_path / "build" / "small").glob("*.onnx"))


def test_a_rule_that_there_is_not(trtbuild, project):
    """It is a mistake in the recipe, found before anything runs."""
    edit(project, "targets:", "checks: {off: {TB999: why}}\ntargets:")
    answer = trtbuild("validate", project)

    assert 2 == answer.code
    assert "there is no rule `TB999`" in answer.err


def test_allow_float_that_matches_nothing(trtbuild, project):
    """It would allow nothing: an error, before calibration."""
    edit(project, "  data: calib\n", "  data: calib\n  allow_float: ['op:ConvTranspose']\n")
    answer = trtbuild("check", project)

    assert 2 == answer.code
    assert "`op:ConvTranspose` matches no layer that INT8 is for" in answer.err


UPSAMPLING = """
up (float[batch, 3, 8, 8] input) => (float[batch, 4, 15, 15] logits) {
  [conv] a = Conv <pads: ints = [1, 1, 1, 1]> (input, w0)
  [up] logits = ConvTranspose <strides: ints = [2, 2]> (a, w1)
}
"""


def test_int8_that_is_not_delivered_fails_the_build_unless_allowed(trtbuild, project, tmp_path):
    """A ConvTranspose, asked for in INT8 with its rule turned off: nothing is delivered."""
    weights = {"w0": random(8, 3, 3, 3), "w1": random(8, 4, 1, 1)}
    onnx.save(model_of(UPSAMPLING, weights), project.parent / "model.onnx")
    text = project.read_text()
    text = text[: text.index("compare:")].replace("  eval: {kind", "  #")
    text += "checks: {off: {TB207: we shall see}}\n"
    project.write_text(text.replace("  data: calib\n", "  data: calib\n  precision: {up: int8}\n"))
    build = ("apply", project, "--build-dir", tmp_path / "build", "-q")
    refused = trtbuild(*build)
    report = (tmp_path / "build" / "small" / "report.md").read_text()
    edit(project, "  precision: {up", "  allow_float: [up]\n  precision: {up")
    allowed = trtbuild(*build)

    assert (3, 0) == (refused.code, allowed.code)
    assert (
        "error: build_engine(rtx): rtx: 1 layer asked for in INT8 came out in float: "
        "`up` (fp32): TensorRT-RTX computes ConvTranspose in float only"
    ) in refused.err
    assert '  allow_float:\n  - "up"' in refused.err
    assert "hint: mend the cause, `skip` the layers, or allow it" in refused.err
    assert "TensorRT-RTX computes ConvTranspose in float only" in report
    assert (tmp_path / "build" / "small" / "rtx" / "model.engine").exists()


INT8 = "quantization:\n  data: calib\n  calibrator: {kind: minmax}\n"


def test_half_precision_that_a_recipe_asks_for_is_not_recommended(trtbuild, project):
    """Also where nothing is calibrated yet, and most of the model is left float."""
    edit(project, INT8, INT8 + "  skip: [Conv_c]\n")
    assert "TB306" in trtbuild("check", project).out
    edit(project, INT8, INT8 + "  high_precision: fp16\n")
    assert "TB306" not in trtbuild("check", project).out


@pytest.mark.parametrize(
    ("precision", "told"),
    [
        ("fp32", "target rtx: the fixed model\n"),
        ("fp16", "target rtx: the fixed model in fp16\n"),
        ("{type: fp16, data: calib}", "in fp16: nothing is measured for it\n"),
    ],
)
def test_a_recipe_without_int8_is_checked_in_its_type(trtbuild, project, precision, told):
    """What its engines are built from."""
    edit(project, INT8, f"precision: {precision}\n")
    text = project.read_text()
    project.write_text(text[: text.index("compare:")])

    assert told in trtbuild("check", project).out


def test_a_model_that_cannot_be_read_hides_no_other(tmp_path, trtbuild):
    """Findings of those that can be are shown, and the error beside them."""
    onnx.save(FIRES["TB114"]().model, tmp_path / "odd.onnx")
    for name in ("one.onnx", "two.onnx"):
        (tmp_path / name).write_bytes(b"no model")

    answer = trtbuild("check", *(str(tmp_path / f"{name}.onnx") for name in ("one", "odd", "two")))

    assert 3 == answer.code
    assert "odd.onnx" in answer.out
    assert "one.onnx: is not an ONNX model" in answer.err
    assert "error: two.onnx: is not an ONNX model" in answer.err.replace(f"{tmp_path}/", "")
