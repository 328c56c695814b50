"""trtbuild run, as its user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from trtbuild.core.arrays import ArrayFile


def a_feed(path):
    """Write an array for each input of the project's model."""
    from trtbuild.backends.model import OnnxModel

    inputs = OnnxModel.read(Path("build/small/model.fp32.onnx")).inputs
    np.savez(
        path,
        **{
            spec.name: np.ones([d if isinstance(d, int) else 2 for d in spec.shape], spec.dtype)
            for spec in inputs
        },
    )


def test_the_model_of_a_recipe_runs_on_arrays(applied_project, trtbuild):
    """It says that it is not the engine; the outputs are kept as an npz file."""
    a_feed("x.npz")

    answer = trtbuild("run", "recipe.yaml", "--input", "x.npz", "--output", "y.npz")

    assert answer.out.endswith("wrote y.npz\n")
    assert 0 == answer.code, answer.err
    assert "in ONNX Runtime on the CPU: not the engine itself" in answer.out
    assert ArrayFile(Path("y.npz")).names


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (["--on", "gpu"], 4, "the engine cannot run here"),
        (["--engine"], 4, "the engine cannot run here"),
        (["--target", "gone"], 2, "there is no target `gone`"),
    ],
)
def test_what_cannot_run_here_is_an_error(applied_project, trtbuild, more, code, said):
    """With the exit code of its sort."""
    a_feed("x.npz")

    answer = trtbuild("run", "recipe.yaml", "--input", "x.npz", *more)

    assert (code, True) == (answer.code, said in answer.err)


def test_arrays_that_are_read_are_not_written_over(applied_project, trtbuild):
    """Whatever the name that they are given."""
    a_feed("x.npz")
    before = Path("x.npz").read_bytes()

    same = str(Path("x.npz").absolute())
    answer = trtbuild("run", "recipe.yaml", "--input", "x.npz", "--output", same)

    assert 2 == answer.code
    assert "x.npz: is what is read" in answer.err
    assert before == Path("x.npz").read_bytes()


def test_what_a_recipe_no_longer_makes_is_not_run_for_it(applied_project, trtbuild):
    """An edited recipe is not answered with the model of the one before; the file itself is."""
    a_feed("x.npz")
    text = applied_project.read_text()
    applied_project.write_text(text.replace("kind: minmax", "kind: mse"))
    assert text != applied_project.read_text()

    answer = trtbuild("run", "recipe.yaml", "--input", "x.npz")

    assert (2, "") == (answer.code, answer.out)
    assert "was built, but not from recipe.yaml as it stands" in answer.err
    engine = next(Path("build/small").glob("*/model.engine"))
    assert 0 == trtbuild("run", engine, "--input", "x.npz").code


@pytest.mark.parametrize("what", ["recipe.yaml", "build/small/rtx/model.engine"])
@pytest.mark.parametrize(("batch", "taken"), [(4, True), (5, False)])
def test_the_model_says_what_its_engine_would_not_take(
    applied_project, trtbuild, what, batch, taken
):
    """ONNX Runtime takes any batch; the profile ends at 4."""
    np.savez("x.npz", input=np.ones((batch, 3, 8, 8), np.float32))

    answer = trtbuild("run", what, "--input", "x.npz")

    assert 0 == answer.code, answer.err
    told = "the engine would refuse `input` [5, 3, 8, 8]: no profile takes it"
    assert taken is (told not in answer.out)


def test_a_build_from_elsewhere_runs_with_a_word_on_what_is_not_known(
    applied_project, trtbuild, tmp_path, monkeypatch
):
    """Its store is not here, and cannot say what the recipe makes."""
    a_feed("x.npz")
    monkeypatch.setenv("TRTBUILD_STORE", str(tmp_path / "another"))

    answer = trtbuild("run", "recipe.yaml", "--input", "x.npz")

    assert 0 == answer.code, answer.err
    assert "whether the recipe still makes it is not known: it was not built here" in answer.out


PICTURES = "  eval: {kind: images, path: photos, preprocess: {resize: [8, 8]}}\n"


@pytest.fixture
def photos(applied_project):
    """The same project, whose evaluation data are two pictures; nothing is built anew for it."""
    from PIL import Image

    Path("photos").mkdir()
    for name, value in (("dark", 20), ("light", 220)):
        Image.fromarray(np.full((16, 24, 3), value, np.uint8)).save(f"photos/{name}.png")
    return applied_project


def test_pictures_are_answered_with_classes(photos, trtbuild, monkeypatch):
    """Through the preprocessing of a data set; both models side by side, and drawn."""
    text = photos.read_text()
    line = next(each for each in text.splitlines() if each.startswith("  eval:"))
    photos.write_text(text.replace(line + "\n", PICTURES).replace(", top1]", ", top1_agreement]"))
    monkeypatch.setattr("trtbuild.verbs.freshness.explain_doubt", lambda *_: "")
    Path("names.txt").write_text("one\ntwo\nthree\nfour\n")
    answer = trtbuild(
        *("run", "recipe.yaml", "--input", "photos", "--top", "2", "--names", "names.txt"),
        *("--fp32", "--int8", "--output", "drawn"),
    )
    lines = answer.out.splitlines()

    assert 0 == answer.code, answer.err
    assert ["dark.png", "light.png"] == [lines[0], lines[5]]
    assert ["fp32", "fp32", "int8", "int8"] == [line.split()[0] for line in lines[1:5]]
    assert lines[1].split()[-1] in {"one", "two", "three", "four"}
    assert ["dark.png.png", "light.png.png"] == sorted(
        each.name for each in Path("drawn").iterdir()
    )


def run_pipeline_of(trtbuild, code, source):
    """Run a pipeline of one function, which writes lines of JSON."""
    Path("code.py").write_text(code)
    pipeline = {
        "version": 1,
        "source": source,
        "stages": {"it": {"python": "code.py:work"}},
        "results": {"json_lines": "out.jsonl"},
    }
    Path("p.yaml").write_text(json.dumps(pipeline))
    return trtbuild("run", "p.yaml")


END = """
import os, signal
def work(item):
    if item.number == 20:
        os.kill(os.getpid(), signal.SIGTERM)
    return item
"""


def test_a_camera_is_ended_by_a_signal_and_its_results_are_kept(project, trtbuild):
    """It has no end of its own; FFmpeg makes one up here."""
    pytest.importorskip("av", reason="PyAV is not installed")
    source = {"kind": "camera", "path": "testsrc=rate=50", "format": "lavfi", "rate": 200}
    answer = run_pipeline_of(trtbuild, END, source)

    assert 0 == answer.code, answer.err
    lines = Path("out.jsonl").read_text().splitlines()
    assert [*range(len(lines))] == [json.loads(line)["frame"] for line in lines]
    assert len(lines) > 20


def test_another_source_is_interrupted_by_it_and_leaves_nothing(project, trtbuild):
    """As by the interrupt key."""
    pytest.importorskip("PIL", reason="Pillow is not installed")
    from PIL import Image

    Path("frames").mkdir()
    Image.new("RGB", (8, 8)).save("frames/0.png")
    source = {"kind": "folder", "path": "frames", "repeat": 10_000}
    answer = run_pipeline_of(trtbuild, END, source)

    assert 130 == answer.code
    assert not [each for each in Path().iterdir() if "jsonl" in each.name]
