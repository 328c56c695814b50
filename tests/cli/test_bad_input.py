"""Bad input earns one clear error with its exit code, no traceback, and an intact store."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import onnx
import pytest

from tests.helpers.models import model_of
from tests.helpers.projects import edit

pytestmark = pytest.mark.usefixtures("steps_here")


def truncate_model(recipe):
    path = recipe.parent / "model.onnx"
    path.write_bytes(path.read_bytes()[:200])


def model_is_a_directory(recipe):
    (recipe.parent / "model.onnx").unlink()
    (recipe.parent / "model.onnx").mkdir()


def model_is_missing(recipe):
    (recipe.parent / "model.onnx").unlink()


def data_is_missing(recipe):
    (recipe.parent / "calib.npz").unlink()


def nan_in_data(recipe):
    samples = np.zeros((6, 3, 8, 8), np.float32)
    samples[4, 0, 0, 0] = np.nan
    np.savez(recipe.parent / "calib.npz", input=samples)


def wrong_dtype(recipe):
    np.savez(recipe.parent / "calib.npz", input=np.zeros((6, 3, 8, 8), np.float64))


def wrong_shape(recipe):
    np.savez(recipe.parent / "calib.npz", input=np.zeros((6, 3, 9, 8), np.float32))


def corrupt_image(recipe):
    from PIL import Image

    folder = recipe.parent / "photos"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        Image.new("RGB", (8, 8)).save(folder / name)
    (folder / "b.png").write_bytes((folder / "b.png").read_bytes()[:40])
    source = "{kind: images, path: photos, preprocess: {resize: 8, crop: [8, 8]}}"
    edit(recipe, "{kind: arrays, path: calib.npz}", source)


def unsupported_operator(recipe):
    text = "m (float[batch, 3, 8, 8] input) => (float[batch, 3, 8, 8] y) { y = Det2 (input) }"
    model = onnx.parser.parse_model('<ir_version: 8, opset_import: ["" : 17]>' + text)
    onnx.save(model, recipe.parent / "model.onnx")


def operator_that_tensorrt_lacks(recipe):
    text = """
    m (float[batch, 3, 8, 8] input) => (float[batch, 3, 8, 8] logits) {
      a = Conv <pads: ints = [1, 1, 1, 1]> (input, w)
      logits = Bernoulli <dtype: int = 1, seed: float = 1.0> (a)
    }"""
    weights = {"w": np.ones((3, 3, 3, 3), np.float32)}
    onnx.save(model_of(text, weights), recipe.parent / "model.onnx")
    keep = recipe.read_text().split("compare:")[0]
    recipe.write_text(keep.replace("  eval: {kind: arrays, path: eval.npz, labels: label}\n", ""))


def unknown_tensor(recipe):
    edit(recipe, "  calibrator:", "  ranges: {logit: 3.0}\n  calibrator:")


def profile_of_other_rank(recipe):
    edit(recipe, "[1, 3, 8, 8]", "[1, 3, 8]")
    edit(recipe, "[2, 3, 8, 8]", "[2, 3, 8]")
    edit(recipe, "[4, 3, 8, 8]", "[4, 3, 8]")


CASES = [
    (truncate_model, 3, "model.onnx"),
    (model_is_a_directory, 4, "is a directory"),
    (model_is_missing, 4, "model.onnx"),
    (data_is_missing, 4, "calib.npz"),
    (nan_in_data, 3, "calib.npz[4]"),
    (wrong_dtype, 2, "float64"),
    (wrong_shape, 2, "[3, 9, 8]"),
    (corrupt_image, 3, "b.png"),
    (unsupported_operator, 3, "Det2"),
    (operator_that_tensorrt_lacks, 3, "Bernoulli"),
    (unknown_tensor, 2, "`logits`"),
    (profile_of_other_rank, 2, "has 3 dimensions, the input has 4"),
]


@pytest.mark.parametrize(
    ("spoil", "code", "says"), CASES, ids=lambda value: getattr(value, "__name__", "")
)
def test_bad_input_earns_one_clear_error(project, trtbuild, spoil, code, says):
    """What is wrong, where, what to do next."""
    spoil(project)

    answer = trtbuild("apply", "recipe.yaml")

    assert (code, True) == (answer.code, says in answer.err), answer.err
    assert "Traceback" not in answer.err
    assert 1 == answer.err.count("error: ")
    assert "hint: " in answer.err
    assert not any(Path("build/small").glob("[!.]*"))


def test_after_bad_input_the_store_still_serves(project, trtbuild):
    """What was made before the failure is kept, and what failed is not."""
    good = project.read_text()
    nan_in_data(project)
    trtbuild("apply", "recipe.yaml")
    np.savez("calib.npz", input=np.ones((6, 3, 8, 8), np.float32) * np.arange(8, dtype=np.float32))

    answer = trtbuild("apply", "recipe.yaml")

    assert good == project.read_text()
    assert 0 == answer.code, answer.err


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["apply", "nothing.yaml"], 4, "nothing.yaml"),
        (["plan", "."], 4, "directory"),
        (["apply", "recipe.yaml", "--target", "rx"], 2, "there is no target `rx`"),
        (["apply", "recipe.yaml", "--build-dir", "recipe.yaml"], 4, "build directory"),
        (["apply"], 2, "no recipe is named"),
        (["aply"], 2, "aply"),
        (["plan", "nothing.yaml"], 4, "nothing.yaml"),
        (["kinds", "nothing"], 2, "there is no kind, section or option `nothing`"),
    ],
)
def test_what_is_typed_wrong_is_said(project, trtbuild, arguments, code, says):
    """With the documented exit code, and nothing built."""
    answer = trtbuild(*arguments)

    assert (code, True) == (answer.code, says in answer.err), answer.err
    assert "Traceback" not in answer.err
    assert not Path("build/small").exists() or not list(Path("build/small").glob("[!.]*"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_build_directory_is_said(project, trtbuild):
    """Before any work is done for it."""
    Path("build").mkdir(mode=0o555)

    assert 4 == trtbuild("apply", "recipe.yaml").code


def test_a_store_that_cannot_be_written_is_said(project, trtbuild, monkeypatch):
    """With the variable that moves it."""
    monkeypatch.setenv("TRTBUILD_STORE", "/dev/null/store")

    answer = trtbuild("apply", "recipe.yaml")

    assert 4 == answer.code
    assert "TRTBUILD_STORE" in answer.err


def test_a_recipe_that_is_not_there_hides_no_problem_of_another(project, trtbuild):
    """All that is wrong is told at once; where it is all that is wrong, it is a file missing."""
    edit(project, "kind: minmax", "kind: minmix")

    answer = trtbuild("validate", "gone.yaml", "recipe.yaml", "--format", "github")

    assert 2 == answer.code
    assert ["file=gone.yaml,line=1", "file=recipe.yaml,line=11"] == [
        line.split(" ")[1].rpartition(",col=")[0] for line in answer.out.splitlines()
    ]
    assert 4 == trtbuild("validate", "gone.yaml").code


@pytest.mark.parametrize("name", ["name: small  # as well", "name: 'small'", "'name': small"])
def test_recipes_of_one_name_are_not_built_together(project, trtbuild, name):
    """The results of one would be gone without a word; the same recipe twice is no matter."""
    text = project.read_text().replace("name: small", name)
    Path("other.yaml").write_text(text)

    answer = trtbuild("apply", "recipe.yaml", "recipe.yaml", "other.yaml")

    assert (2, "") == (answer.code, answer.out)
    assert "recipe.yaml and other.yaml are both called `small`" in answer.err
    assert not Path("build").exists()
