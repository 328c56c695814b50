"""trtbuild lock, and applies that are held to it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.test_apply import SAME_BYTES, visible
from tests.helpers.projects import edit


@pytest.fixture
def locked(applied_project, trtbuild):
    answer = trtbuild("lock", "recipe.yaml")
    assert 0 == answer.code, answer.err
    return applied_project


def elsewhere(monkeypatch, tmp_path):
    monkeypatch.setenv("TRTBUILD_STORE", str(tmp_path / "another store"))
    shutil.rmtree("build")


def test_a_lock_is_sorted_a_fact_a_line_and_the_same_everywhere(locked, trtbuild, tmp_path):
    """Neither time nor place stands in it; writing it again changes nothing."""
    text = Path("recipe.lock").read_text()

    assert str(tmp_path) not in text
    assert "b = { low" in text
    assert '"quantization.calibrator.kind" = "minmax"' in text
    assert '"calib.npz" = "sha256:' in text
    assert "rtx.delivered_int8 = 3" in text
    assert "unchanged" in trtbuild("lock", "recipe.yaml").out
    assert 0 == trtbuild("lock", "--check", "recipe.yaml").code


def test_a_locked_apply_calibrates_nothing_and_gives_the_same_bytes(
    locked, trtbuild, tmp_path, monkeypatch
):
    """In an empty store: the ranges come from the lock, whatever calibration would find here."""
    before = visible(Path("build/small"))
    elsewhere(monkeypatch, tmp_path)

    answer = trtbuild("apply", "--locked", "-v", "recipe.yaml")

    assert 0 == answer.code, answer.err
    after = visible(Path("build/small"))
    assert {name: before[name] for name in SAME_BYTES} == {name: after[name] for name in SAME_BYTES}
    assert "capture_data(calib)" not in answer.err + answer.out


def test_the_ranges_of_the_lock_are_the_ones_that_count(locked, trtbuild, tmp_path, monkeypatch):
    """And what comes of other ranges is not what the lock says of the model: it is refused."""
    edit(Path("recipe.lock"), "b = { low = 0", "b = { low = -90")
    elsewhere(monkeypatch, tmp_path)

    answer = trtbuild("apply", "--locked", "recipe.yaml")

    assert 5 == answer.code
    assert "models: int8:" in answer.err
    assert not Path("build/small/model.int8.onnx").exists()


def test_a_locked_apply_does_not_pass_for_a_calibration(locked, trtbuild, tmp_path, monkeypatch):
    """The next apply that is not locked calibrates."""
    elsewhere(monkeypatch, tmp_path)
    assert 0 == trtbuild("apply", "-q", "--locked", "recipe.yaml").code

    shown = trtbuild("plan", "recipe.yaml").out

    assert "run    calibrate" in shown


DIFFERENT = {
    "an option": (lambda p: edit(p, "kind: minmax", "kind: mse"),
                  "recipe: quantization.calibrator.kind: minmax → mse"),
    "a source": (lambda _: shutil.copy("eval.npz", "calib.npz"), "sources: calib.npz: "),
    "the workspace": (lambda p: edit(p, "256MiB", "512MiB"), "targets.rtx.workspace: 268435456 →"),
}  # fmt: skip


@pytest.mark.parametrize("change", DIFFERENT)
def test_what_differs_from_the_lock_is_refused_with_reasons(locked, trtbuild, change):
    """By the check as by the apply; and the files of the last build stay."""
    make, reason = DIFFERENT[change]
    make(locked)

    for words in (("lock", "--check"), ("apply", "--locked")):
        answer = trtbuild(*words, "recipe.yaml")
        assert 5 == answer.code
        assert reason in answer.err
        assert "recipe.lock does not hold" in answer.err


def test_another_version_of_a_tool_is_refused(locked, trtbuild, tmp_path, monkeypatch):
    """Of one that a locked build uses; what only calibration uses does not matter to it."""
    (tmp_path / "installed" / "tensorrt_rtx_cu13_libs-99.dist-info").mkdir(parents=True)
    monkeypatch.syspath_prepend(tmp_path / "installed")

    answer = trtbuild("lock", "--check", "recipe.yaml")

    assert 5 == answer.code
    assert "tools: tensorrt_rtx_cu13_libs: " in answer.err


def test_moved_files_and_comments_hold(locked, trtbuild):
    """A lock is of contents."""
    Path("calib.npz").rename("moved.npz")
    edit(locked, "calib.npz", "moved.npz")
    edit(locked, "version: 1", "version: 1  # the first")

    assert 0 == trtbuild("lock", "--check", "recipe.yaml").code


def test_an_unbuilt_recipe_is_not_locked(project, trtbuild):
    """There is nothing to write down yet."""
    answer = trtbuild("lock", "recipe.yaml")

    assert 2 == answer.code
    assert "trtbuild apply recipe.yaml" in answer.err


@pytest.mark.parametrize(
    "text", ["", "<<<<<<< ours", "format = 2", "format = 1", "\x00", "[a]\n[a]"]
)
def test_what_is_no_lock_is_said_to_be(locked, trtbuild, text):
    """A bad merge is one sentence."""
    Path("recipe.lock").write_text(text)

    answer = trtbuild("apply", "--locked", "recipe.yaml")

    assert 2 == answer.code
    assert "recipe.lock: is" in answer.err


def test_without_a_lock_nothing_is_locked(project, trtbuild):
    """It says how to write one."""
    answer = trtbuild("apply", "--locked", "recipe.yaml")

    assert 4 == answer.code
    assert "trtbuild lock" in answer.err
