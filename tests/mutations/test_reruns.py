"""For each kind of change exactly the right steps rerun: none stale, none needless.

Each is made after a plan whose answer was kept, and would be given again if it went unseen.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import onnx
import pytest

from tests.helpers.mutable import nudged, resaved, same_size_and_time
from tests.helpers.typed import planned
from trtbuild import api

STEPS = (
    "import_model", "fix_graph", "capture_data(calib)", "capture_data(eval)", "calibrate",
    "quantize", "check_model(rtx)", "build_engine(rtx)", "infer(reference)",
    "infer(candidate)", "compare",
)  # fmt: skip
CANDIDATE = {"check_model(rtx)", "build_engine(rtx)", "infer(candidate)", "compare"}
"""What stands on the quantized model."""


def decided(project):
    """Return what a plan that is typed says of the steps it does not reuse."""
    return {step: word for step, word in planned(project.recipe).items() if word != "reuse"}


def all_but(*names):
    return set(STEPS) - set(names)


def edited(before, after, *, file="recipe.yaml"):
    return lambda project: project.edit(before, after, file=file)


def weight_changed(project):
    path = project.path("model.onnx")
    onnx.save(nudged(onnx.load(path), "w1"), path)


def external_data(project):
    path = project.path("model.onnx")
    onnx.save(onnx.load(path), path, save_as_external_data=True, location="w.bin", size_threshold=0)


def pictures_swapped(project):
    first, second = project.path("shots/1.png"), project.path("shots/2.png")
    first.rename(project.path("aside"))
    second.rename(first)
    project.path("aside").rename(second)


def picture_renamed_past_another(project):
    project.path("shots/0.png").rename(project.path("shots/9.png"))


def picture_added(project):
    shutil.copy(project.path("shots/1.png"), project.path("shots/7.png"))


MODEL = all_but("capture_data(calib)", "capture_data(eval)")
CALIBRATION = {"capture_data(calib)", "calibrate", "quantize", *CANDIDATE}
CALIBRATED = {"calibrate", "quantize", *CANDIDATE}
QUANTIZED = {"quantize", *CANDIDATE}
EVALUATION = {"capture_data(eval)", "infer(reference)", "infer(candidate)", "compare"}
ENGINE = {"build_engine(rtx)"}

CHANGES = {
    "one weight": (weight_changed, MODEL),
    "weights moved beside": (external_data, MODEL),
    "one pixel": (lambda p: resaved(p.path("shots/2.png"), pixel=True), CALIBRATION),
    "a picture's bytes": (lambda p: resaved(p.path("shots/2.png"), pixel=False), CALIBRATION),
    "two pictures swapped": (pictures_swapped, CALIBRATION),
    "a picture renamed past another": (picture_renamed_past_another, CALIBRATION),
    "a picture more": (picture_added, CALIBRATION),
    "a picture less": (lambda p: p.path("shots/4.png").unlink(), CALIBRATION),
    "a preprocess argument": (edited("mean: [1.0]", "mean: [0.5]"), CALIBRATION),
    "another channel order": (edited("mean:", "color: bgr, mean:"), CALIBRATION),
    "how many pictures": (edited("path: shots\n", "path: shots\n    count: 3\n"), CALIBRATION),
    "an entrypoint": (edited("range(4)", "range(5)", file="samples.py"), EVALUATION),
    "a module beside it": (edited("size=(3", "size=(+3", file="beside.py"), EVALUATION),
    "a module in a package": (edited("1.0", "2.0", file="pack/inner.py"), EVALUATION),
    "a package's __init__": (
        lambda p: p.path("pack/__init__.py").write_text("X = 1\n"), EVALUATION,
    ),
    "an entrypoint's option": (edited("seed: 3", "seed: 4"), EVALUATION),
    "a calibrator option": (edited("percentile: 99.9}", "percentile: 99.8}"), CALIBRATED),
    "another calibrator": (edited("percentile, percentile: 99.9", "minmax"), CALIBRATED),
    "a calibrator for some tensors": (
        edited("  ranges: {", "  calibrators: {b: {kind: minmax}}\n  ranges: {"), CALIBRATED,
    ),
    "a manual range": (edited("{b: 2.5}", "{b: 2.25}"), QUANTIZED),
    "a file of ranges": (edited("4.0", "4.5", file="more.ranges"), QUANTIZED),
    "a skipped layer": (edited("op:Gemm", "op:Add"), QUANTIZED),
    "a precision": (edited('  skip: ["op:Gemm"]', "  precision: {op:Gemm: fp32}"), QUANTIZED),
    "a fix more": (edited("fold_constants}", "fold_constants}\n  - {kind: drop_identity}"),
                   MODEL - {"import_model"}),
    "a profile": (edited("max: [4,", "max: [8,"), ENGINE),
    "the workspace": (edited("256MiB", "512MiB"), ENGINE),
    "a target option": (edited("workspace:", "tf32: false, workspace:"), ENGINE),
    "a target's GPU": (edited("[8.9]", "[8.9, 12.0]"), {"check_model(rtx)", *ENGINE}),
    "a check turned off": (
        edited("targets:", "checks: {off: {TB501: it is enough}}\ntargets:"),
        {"check_model(rtx)", *ENGINE},
    ),
    "a metric": (edited("sqnr_db]", "sqnr_db, max_abs]"), {"compare"}),
    "a gate": (edited("at_least: 1}", "at_least: 2}"), {"compare"}),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_reruns_what_it_reaches_and_nothing_else(copy, change):
    """The steps that read it run, those that stand on them may, and no other step does."""
    make, expected = CHANGES[change]
    make(copy)

    assert expected == set(decided(copy))


def touched(project):
    for path in project.folder.rglob("*"):
        os.utime(path, (1, 1))


def reordered(project):
    sections = project.recipe.read_text().split("\n")
    tops = [i for i, line in enumerate(sections) if line and line[0] not in " #"]
    pieces = [sections[a:b] for a, b in zip(tops, [*tops[1:], len(sections)], strict=True)]
    project.recipe.write_text("\n".join("\n".join(piece).strip("\n") for piece in pieces[::-1]))


def data_moved(project):
    project.path("shots").rename(project.path("pictures"))
    project.edit("path: shots", "path: pictures")


def data_by_pattern(project):
    project.edit("path: shots", 'path: "shots/*.png"')


def model_moved(project):
    project.path("sub").mkdir()
    project.path("model.onnx").rename(project.path("sub/m.onnx"))
    project.edit("path: model.onnx", "path: sub/m.onnx")


def linked(project):
    project.path("model.onnx").rename(project.path("real.onnx"))
    project.path("model.onnx").symlink_to("real.onnx")


def block_style(project):
    project.edit("calibrator: {kind: percentile, percentile: 99.9}",
                 "calibrator:\n    percentile: 99.90\n    kind: 'percentile'")  # fmt: skip


NOTHING = {
    "another folder, another store": lambda _: None,
    "a comment": edited("version: 1\n", "# why\nversion: 1  # the first\n"),
    "key order": reordered,
    "key order in a line": edited(
        "kind: percentile, percentile: 99.9", "percentile: 99.9, kind: percentile"
    ),
    "quoting": edited("name: small", 'name: "small"'),
    "block for flow, 99.90 for 99.9": block_style,
    "a size in other units": edited("256MiB", "268435456"),
    "a default spelt out": edited("  data: calib\n", "  data: calib\n  mode: explicit\n"),
    "modification times": touched,
    "a limit spelt out": edited("{b: 2.5}", "{b: [-2.5, 2.5]}"),
    "the same number": edited("{b: 2.5}", "{b: 25e-1}"),
    "moved data": data_moved,
    "data by a pattern": data_by_pattern,
    "a moved model": model_moved,
    "a link to the model": linked,
    "a module that nobody imports": edited("42", "43", file="unrelated.py"),
    "a file that is no picture": lambda p: p.path("shots/notes.txt").write_text("x"),
    "a hidden file": lambda p: p.path("shots/.DS_Store").write_text("x"),
    "a compiled module": lambda p: p.path("__pycache__").mkdir(),
    "windows line ends": lambda p: p.recipe.write_bytes(
        p.recipe.read_bytes().replace(b"\n", b"\r\n")
    ),
}  # fmt: skip


def test_what_changes_nothing_reruns_nothing(copy, built):
    """Neither how a recipe is written nor where things lie is an ingredient."""
    project, _ = built
    for change, make in NOTHING.items():
        make(copy)

        assert {} == decided(copy), change

        shutil.rmtree(copy.folder)
        project.copied(copy.folder)


FACTS = {
    "tensorrt_rtx_cu13_libs": ENGINE,
    "polygraphy": ENGINE,
    "onnxruntime": MODEL - {"import_model"},
    "pillow": CALIBRATION,
    "samplelib": EVALUATION,
    "typer": set(),
}


def test_another_version_reruns_the_steps_that_use_it(copy, tmp_path, monkeypatch):
    """A package counts for the steps that declare it, and for no other."""
    for package, expected in FACTS.items():
        (tmp_path / package / f"{package}-99.dist-info").mkdir(parents=True)
        with monkeypatch.context() as patch:
            patch.syspath_prepend(tmp_path / package)

            assert expected == set(decided(copy)), package


def test_a_step_of_another_version_runs_again(copy, monkeypatch):
    """When a step's output may differ for equal ingredients, its version says so."""
    from trtbuild.steps.quantize import Quantize

    monkeypatch.setattr(Quantize, "version", Quantize.version + 1)
    # Not by what is typed: a stamp looks at the files of the steps, which are what they were.
    decisions = api.plan(copy.recipe).decisions

    assert QUANTIZED == {each.step for each in decisions if each.verdict != "reuse"}


def test_another_user_reruns_nothing(copy, monkeypatch):
    """Nothing of the environment but what is installed is an ingredient."""
    for name, value in {"HOME": "/nowhere", "USER": "else", "TZ": "Asia/Tokyo",
                        "LANG": "tr_TR.UTF-8", "PYTHONHASHSEED": "7"}.items():  # fmt: skip
        monkeypatch.setenv(name, value)

    assert {} == decided(copy)


def test_a_change_behind_unchanged_times_is_seen(copy):
    """Size and modification time are the same; the inode's own time is not."""
    api.plan(copy.recipe)
    pixels = copy.path("shots/2.png").read_bytes()
    same_size_and_time(copy.path("samples.py"), b"range(4)", b"range(3)")

    assert EVALUATION == set(decided(copy))
    assert pixels == copy.path("shots/2.png").read_bytes()


def ran(project):
    build = project.folder / "build"
    applied = api.apply(project.recipe, build_dir=build, executor="inline")
    return {each.step for each in applied.record.outcomes if each.status == "ran"}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("weights moved beside", {"import_model"}),
        ("a picture's bytes", {"capture_data(calib)", "calibrate"}),
        ("a module in a package", {*EVALUATION}),
        ("a check turned off", {"check_model(rtx)"}),
        ("a package's __init__", {"capture_data(eval)"}),
        ("a skipped layer", QUANTIZED),
    ],
)
def test_steps_that_make_what_they_made_cut_off_what_follows(copy, change, expected):
    """For real: what would read the same bytes again is reused, and a second apply runs nothing."""
    CHANGES[change][0](copy)

    assert expected == ran(copy)
    assert set() == ran(copy)


def test_going_back_reruns_nothing(copy):
    """What was made once is kept under what it was made of."""
    before = copy.recipe.read_text()
    copy.edit("{b: 2.5}", "{b: 2.25}")
    assert QUANTIZED >= ran(copy)
    copy.recipe.write_text(before)

    assert {} == decided(copy)
    assert set() == ran(copy)


def test_a_renamed_recipe_file_reruns_nothing(copy):
    """Its name is no ingredient."""
    moved = copy.recipe.rename(copy.path("other.yaml"))

    assert {"reuse"} == {each.verdict for each in api.plan(Path(moved)).decisions}
