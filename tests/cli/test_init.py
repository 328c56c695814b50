"""`trtbuild init`, typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.examples import differences, example
from tests.helpers.sorts import save_pictures, save_sort

OLD = (
    "trtexec --onnx=cnn.onnx --optShapes=image:4x3x32x32 --int8 --fp16 "
    "--memPoolSize=workspace:2048 --useCudaGraph"
)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRTBUILD_STORE", str(tmp_path / "store"))
    save_sort("cnn", tmp_path)
    return tmp_path


def test_the_readmes_example_is_so(trtbuild, here):
    """What is said, and the whole file."""
    save_pictures(here / "pictures", 80)
    answer = trtbuild("init", "cnn.onnx", "--data", "pictures/")
    readme = (Path(__file__).parents[2] / "README.md").read_text()

    assert 0 == answer.code
    assert [] == differences(example("trtbuild init cnn.onnx --data pictures/"), answer.out)
    assert f"```yaml\n{(here / 'cnn.yaml').read_text()}```" in readme


def test_the_readmes_translation_is_so(trtbuild, here):
    """With what has no counterpart."""
    answer = trtbuild("init", "--from", "trtexec", OLD)

    assert 0 == answer.code
    assert [] == differences(example(f'trtbuild init --from trtexec "{OLD}"'), answer.out)
    assert (here / "cnn.yaml").is_file()


def test_a_dash_shows_it(trtbuild, here):
    """On standard output alone; notes go to standard error."""
    answer = trtbuild("init", "--from", "trtexec", OLD, "-o", "-")

    assert (0, 1) == (answer.code, answer.err.count("no counterpart"))
    assert "name: cnn\n" in answer.out
    assert ["cnn.onnx"] == [path.name for path in here.iterdir()]


def test_what_is_wrong_is_one_error(trtbuild, here):
    """And nothing is written."""
    answer = trtbuild("init", "gone.onnx")

    assert 4 == answer.code
    assert answer.err.startswith("error: gone.onnx: no such file")
    assert "hint: " in trtbuild("init").err
    assert ["cnn.onnx"] == [path.name for path in here.iterdir()]


@pytest.mark.usefixtures("steps_here")
@pytest.mark.parametrize(("sort", "data"), [("fixed", ["--data", "pictures"]), ("lstm", [])])
def test_what_it_writes_builds_unedited(sort, data, trtbuild, here):
    """An engine, and no gate that fails; `tests/bench/init.py` does so with ten sorts."""
    save_sort(sort, here)
    save_pictures(here / "pictures", 16)
    written = trtbuild("init", f"{sort}.onnx", *data).code
    built = trtbuild("apply", "-q", f"{sort}.yaml").code

    assert (0, 0) == (written, built)
    assert (here / f"build/{sort}/rtx/model.engine").is_file()
