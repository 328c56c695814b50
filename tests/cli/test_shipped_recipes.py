"""The recipes of this repository, applied: real models, real data, real engines."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.examples import differences, example
from tests.helpers.projects import edit
from tests.helpers.staged import Staged, artifacts
from trtbuild import api

RECIPES = Path(__file__).parents[2] / "recipes"


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """The digits recipe, applied where nobody else is: its folder and what was said."""
    place = tmp_path_factory.mktemp("digits")
    for folder in (RECIPES, RECIPES.parent / "calib_data"):
        shutil.copytree(folder, place / folder.name)
    done = subprocess.run(
        [sys.executable, "-m", "trtbuild", "apply", "recipes/digits_int8.yaml"],
        cwd=place,
        env={**os.environ, "TRTBUILD_STORE": str(place / "store")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    return place, done.stdout


def cut_short(text: str) -> str:
    """Keep of the digits recipe what is read from its own files, up to an INT8 model."""
    above, _, _ = text.replace("name: digits_int8", "name: elsewhere").partition("targets:")
    return above.replace("entropy2", "minmax") + "targets: {o: {kind: onnxruntime}}\n"


def delivered(result: Path) -> set[tuple[str, str]]:
    layers = json.loads(result.read_text())["layers"]
    return {(layer["asked"], layer["delivered"]) for layer in layers}


@pytest.mark.slow
def test_digits_keep_their_top1_in_int8(digits):
    """Within half a point over 800 images that nothing else uses."""
    build = digits[0] / "build/digits_int8"

    comparison = json.loads((build / "comparison.json").read_text())
    (top1,) = [each for each in comparison["measures"] if each["metric"] == "top1"]
    assert 800 == comparison["samples"]
    assert top1["reference"] - top1["value"] <= 0.005
    assert {("int8", "int8")} == delivered(build / "rtx/engine.json")


@pytest.mark.slow
def test_digits_are_the_same_from_copies_elsewhere(digits, tmp_path, monkeypatch):
    """User code, data from code and weights too: all that a step reads is named in its call.

    In another process and folder they are the same bytes. What engines and comparisons are made of
    does not differ by recipe: `tests/contract/test_executors.py` has them elsewhere too.
    """
    place, _ = digits
    recipe = "recipes/digits_elsewhere.yaml"
    (place / recipe).write_text(cut_short((place / "recipes/digits_int8.yaml").read_text()))
    for folder in ("recipes", "calib_data"):
        shutil.copytree(place / folder, tmp_path / "project" / folder)
    monkeypatch.setenv("TRTBUILD_STORE", str(place / "store"))
    here = api.apply(place / recipe, build_dir=place / "build", executor="inline")
    ran = {each.step for each in here.record.outcomes if each.status == "ran"}
    assert not {"import_model", "fix_graph", "capture_data(calib)"} & ran  # the fixture's did
    monkeypatch.setenv("TRTBUILD_STORE", str(tmp_path / "store"))
    staged = Staged(tmp_path / "elsewhere", (tmp_path / "project", tmp_path / "store"))
    there = api.apply(tmp_path / "project" / recipe, build_dir=tmp_path / "build", executor=staged)

    assert artifacts(here) == artifacts(there)


@pytest.mark.slow
def test_the_readme_shows_what_is_said(digits, trtbuild, monkeypatch):
    """Of an apply; a plan with another calibrator; ranges of two; an import of TensorRT's cache."""
    place, said = digits
    monkeypatch.setenv("TRTBUILD_STORE", str(place / "store"))
    monkeypatch.chdir(place)
    recipe, build = Path("recipes/digits_int8.yaml"), Path("build/digits_int8")
    assert [] == differences(example(f"trtbuild apply {recipe}"), said)

    edit(recipe, "{kind: mse}", "{kind: percentile}")
    said = trtbuild("plan", recipe).out
    assert [] == differences(example(f"trtbuild plan {recipe}"), said)

    edit(recipe, "{kind: percentile}", "{kind: minmax}")
    other = recipe.with_name("digits_minmax.yaml")
    above, _, _ = (
        recipe.read_text().replace("name: digits_int8", "name: digits_minmax").partition("targets:")
    )
    other.write_text(f"{above}targets: {{o: {{kind: onnxruntime}}}}\n")
    trtbuild("apply", other)
    said = trtbuild("ranges", "diff", build, "build/digits_minmax").out
    shown = example("trtbuild ranges diff build/digits_int8 build/digits_minmax")
    assert [] == differences(shown, said)

    words = ["--format", "tensorrt", "--trt-version", "8.6.1", "-o", "recipes/old.cache"]
    trtbuild("ranges", "export", build, *words)
    cache = "  calibrator: {kind: cache, path: old.cache}"
    edit(recipe, "  data: calib\n  calibrator: {kind: minmax}", cache)
    said = trtbuild("apply", "-v", recipe).out
    assert [] == differences(example(f"trtbuild apply -v {recipe}"), said)


@pytest.mark.slow
@pytest.mark.usefixtures("steps_here")
def test_digits_need_no_calibration(digits, trtbuild, monkeypatch):
    """With every range by hand top-1 is as in FP32; nothing is calibrated, all is delivered."""
    place, _ = digits
    monkeypatch.setenv("TRTBUILD_STORE", str(place / "store"))
    answer = trtbuild(
        "apply", place / "recipes/digits_manual_ranges.yaml", "--build-dir", place / "build"
    )
    build = place / "build/digits_manual_ranges"

    assert 0 == answer.code, answer.err
    assert "calibrate" not in answer.err
    assert {("int8", "int8")} == delivered(build / "rtx/engine.json")
    ranges = json.loads((build / "ranges.json").read_text())["tensors"]
    assert {"manual"} == {each["origin"] for each in ranges.values()}


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Copies of the recipes and of what yields their data, with an empty store."""
    monkeypatch.setenv("TRTBUILD_STORE", str(tmp_path / "store"))
    for folder in (RECIPES, RECIPES.parent / "calib_data"):
        shutil.copytree(folder, tmp_path / "project" / folder.name)
    return tmp_path / "project"


@pytest.mark.parametrize("name", sorted(path.stem for path in RECIPES.glob("*.yaml")))
def test_every_recipe_is_sound(name, project):
    """Each validates, and is planned as soon as the files are there that scripts make."""
    recipe = project / f"recipes/{name}.yaml"
    (project / "calib_data/shapes_calib.mp4").touch()

    assert [] == list(api.validate([recipe]))
    assert api.plan(recipe).plan.steps


PUBLISHED = ("mobilenetv2_int8", "yolov8n_int8")


@pytest.mark.parametrize("name", PUBLISHED)
def test_what_cannot_be_fetched_is_one_error(name, project, trtbuild):
    """It names the address, and what to do."""
    recipe = project / f"recipes/{name}.yaml"
    address = re.search(r"url: (\S+)", recipe.read_text())
    assert address is not None
    edit(recipe, address[1], f"file://{project}/gone.bin")
    answer = trtbuild("apply", recipe, "--build-dir", project / "build")

    assert answer.code in {3, 4}
    assert f"file://{project}/gone.bin" in answer.err
    assert "hint:" in answer.err


@pytest.mark.parametrize("name", PUBLISHED)
def test_what_they_would_be_fed_can_be_seen(name, project):
    """Without the model: pictures, undone to pictures, in the size that it takes."""
    recipe = project / f"recipes/{name}.yaml"
    recipe.write_text(recipe.read_text().replace("count: 64", "count: 2"))
    found = api.preview_data(
        recipe, data=["calib"], out=project / "seen", model=False, executor="inline"
    )
    size = 640 if "yolo" in name else 224

    assert ("picture", ((3, size, size),)) == (
        found[0].preview.inputs[0].look,
        found[0].preview.inputs[0].shapes,
    )
    assert () == found[0].preview.doubts


@pytest.mark.slow
def test_resnet50_is_delivered_in_int8(trtbuild, tmp_path, monkeypatch):
    """53 convolutions and the Gemm, on 8.6 and 12.0; seeded weights are said aloud.

    Of the recipe's three targets two, over 4 of its 64 photographs: the rest is more of the same.
    """
    monkeypatch.setenv("TRTBUILD_STORE", str(tmp_path / "store"))
    for folder in (RECIPES, RECIPES.parent / "calib_data"):
        shutil.copytree(folder, tmp_path / folder.name)
    recipe = tmp_path / "recipes/resnet50_int8.yaml"
    edit(recipe, "count: 64", "count: 4")
    targets = ["--target", "ampere", "--target", "blackwell"]
    answer = trtbuild("apply", recipe, *targets, "--build-dir", tmp_path / "build")
    assert 0 == answer.code, answer.err
    build = tmp_path / "build/resnet50_int8"

    for target, capability in (("ampere", "8.6"), ("blackwell", "12.0")):
        result = json.loads((build / target / "engine.json").read_text())
        assert (54, 54) == (result["asked_int8"], result["delivered_int8"])
        assert [capability] == result["built_for"]
    comparison = json.loads((build / "comparison.json").read_text())
    if comparison["caveats"]:
        assert ["seeded weights"] == comparison["caveats"]
        assert "resnet50_int8 (seeded weights)" in answer.out
        assert "seeded weights" in (build / "report.md").read_text().splitlines()[0]
