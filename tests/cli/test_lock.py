"""trtbuild lock, and applies that are held to it."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.cli.test_apply import SAME_BYTES, visible
from tests.helpers.projects import edit
from trtbuild.plan.lock import read_lock

pytestmark = pytest.mark.usefixtures("steps_here")


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


def without(*files):
    for name in files:
        Path(name).unlink()


def test_calibration_data_need_not_be_there(locked, trtbuild, tmp_path, monkeypatch):
    """Its ranges stand in the lock: the bytes are the same, and it is said aloud."""
    before = visible(Path("build/small"))
    elsewhere(monkeypatch, tmp_path)
    without("calib.npz")

    checked = trtbuild("lock", "--check", "recipe.yaml")
    answer = trtbuild("apply", "--locked", "recipe.yaml")

    assert 0 == checked.code, checked.err
    assert "data `calib` is not here: its files are not checked" in checked.out
    assert 0 == answer.code, answer.err
    assert "data `calib` is not here: its ranges are the lock's" in answer.out
    after = visible(Path("build/small"))
    assert {name: before[name] for name in SAME_BYTES} == {name: after[name] for name in SAME_BYTES}


def test_without_data_to_compare_on_nothing_is_said_to_be_measured(
    locked, trtbuild, tmp_path, monkeypatch
):
    """Models and engines are made all the same; that no gate was judged is said, even quietly."""
    before = visible(Path("build/small"))
    elsewhere(monkeypatch, tmp_path)
    without("calib.npz", "eval.npz")

    answer = trtbuild("apply", "--locked", "-q", "recipe.yaml")

    assert 0 == answer.code, answer.err
    assert "not compared: data `eval` is not here; the gates were not judged" in answer.err
    after = visible(Path("build/small"))
    made = SAME_BYTES - {"comparison.json"}
    assert {name: before[name] for name in made} == {name: after[name] for name in made}
    assert "comparison.json" not in after
    assert "the gates were not judged" in after["report.md"].decode()


def test_data_that_is_there_must_be_what_was_locked(locked, trtbuild):
    """Only what is not here is done without: the rest is held to the lock."""
    without("calib.npz")
    edit(Path("recipe.lock"), '"eval.npz" = "sha256:', '"eval.npz" = "sha256:00')

    answer = trtbuild("apply", "--locked", "recipe.yaml")

    assert 5 == answer.code
    assert "sources: eval.npz" in answer.err
    assert "calib.npz" not in answer.err


def test_what_is_made_from_the_data_itself_needs_it(applied_project, trtbuild):
    """fp16 is chosen by the values seen: that is no range, and no lock has it."""
    edit(applied_project, "  calibrator:", "  high_precision: fp16\n  calibrator:")
    assert 0 == trtbuild("apply", "-q", "recipe.yaml").code
    assert 0 == trtbuild("lock", "recipe.yaml").code
    without("calib.npz")

    answer = trtbuild("apply", "--locked", "recipe.yaml")

    assert 4 == answer.code
    assert "calib.npz: no such file" in answer.err


def test_without_a_lock_data_must_be_there(locked, trtbuild):
    """Nothing is guessed."""
    without("calib.npz")

    answer = trtbuild("apply", "recipe.yaml")

    assert 4 == answer.code
    assert "calib.npz: no such file" in answer.err


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


def bring(package, version, tmp_path, monkeypatch):
    """Let a package look as if it were installed in another version."""
    (tmp_path / "installed" / f"{package}-{version}.dist-info").mkdir(parents=True)
    monkeypatch.syspath_prepend(tmp_path / "installed")


def test_another_version_of_a_tool_is_refused(locked, trtbuild, tmp_path, monkeypatch):
    """With the steps whose bytes hang on it, and the one line that brings the lock's."""
    was = re.search(r'tensorrt_rtx_cu13_libs = "(.*)"', Path("recipe.lock").read_text())[1]
    bring("tensorrt_rtx_cu13_libs", "99", tmp_path, monkeypatch)

    answer = trtbuild("lock", "--check", "recipe.yaml")

    assert 5 == answer.code
    assert f"tools: tensorrt_rtx_cu13_libs: {was} → 99 (makes build_engine(rtx))" in answer.err
    assert f"hint: the lock's tools: pip install tensorrt_rtx_cu13_libs=={was}; if" in answer.err


def test_a_tool_that_only_measures_may_be_another(locked, trtbuild, tmp_path, monkeypatch):
    """NumPy sums up the figures; no byte of a model is its work."""
    bring("numpy", "99.1", tmp_path, monkeypatch)

    answer = trtbuild("lock", "--check", "recipe.yaml")

    assert 0 == answer.code, answer.err
    assert "  numpy is 99.1, and was " in answer.out
    assert "when this was locked: it only measures" in answer.out


def test_another_tool_that_makes_the_same_bytes_is_remarked_on(
    locked, trtbuild, tmp_path, monkeypatch
):
    """An apply holds what comes of it to the lock; then the check knows that, too."""
    bring("onnx", "99.2", tmp_path, monkeypatch)

    before = trtbuild("lock", "--check", "recipe.yaml")
    answer = trtbuild("apply", "--locked", "recipe.yaml")
    after = trtbuild("lock", "--check", "recipe.yaml")

    assert (5, 0, 0) == (before.code, answer.code, after.code), answer.err
    assert "onnx is 99.2, and was " in answer.out
    assert "when this was locked: what import_model, fix_graph made is the same" in after.out


def test_another_tool_that_makes_other_bytes_is_refused(locked, trtbuild, tmp_path, monkeypatch):
    """It says which step's they are, and what to install."""
    bring("onnx", "99.2", tmp_path, monkeypatch)
    edit(Path("recipe.lock"), 'int8 = "sha256:', 'int8 = "sha256:00')

    answer = trtbuild("apply", "--locked", "recipe.yaml")

    assert 5 == answer.code
    assert "  quantize makes other bytes\n  tools: onnx: " in answer.err
    assert "hint: the lock's tools: pip install onnx==" in answer.err


def test_a_lock_lists_its_tools_for_pip(locked, trtbuild):
    """A pin a line, sorted; what is not installed has none."""
    edit(Path("recipe.lock"), "[tools]\n", '[tools]\n"a" = "a-gpu 1.2"\nb = "not installed"\n')

    answer = trtbuild("lock", "--requirements", "recipe.yaml")

    assert 0 == answer.code, answer.err
    lines = answer.out.splitlines()
    assert "a-gpu==1.2" == lines[0]
    assert lines == sorted(lines)
    assert all(re.fullmatch(r"[\w-]+==[\w.+]+", line) for line in lines)
    assert {"onnx", "numpy", "tensorrt_rtx_cu13_libs"} < {line.split("==")[0] for line in lines}
    assert 2 == trtbuild("lock", "--requirements", "--target", "nope", "recipe.yaml").code


def test_a_tool_that_is_not_here_is_not_compared(locked, trtbuild):
    """Some targets are built elsewhere: each machine holds to the lock what it has."""
    edit(locked, "targets:\n", "targets:\n  elsewhere: {kind: tensorrt11}\n")
    assert 0 == trtbuild("apply", "-q", "recipe.yaml").code
    assert 0 == trtbuild("lock", "recipe.yaml").code
    edit(Path("recipe.lock"), 'tensorrt = "not installed"', 'tensorrt = "11.1"')

    checked = trtbuild("lock", "--check", "recipe.yaml")

    assert 0 == checked.code, checked.err
    assert "tensorrt is not here: its version is not checked" in checked.out
    assert "unchanged" in trtbuild("lock", "recipe.yaml").out


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


def test_a_lock_that_does_not_hold_hides_no_other(locked, trtbuild):
    """All that are named are checked; the worst exit code counts."""
    answer = trtbuild("lock", "--check", "gone.yaml", locked, locked)

    assert (4, 2) == (answer.code, answer.out.count("recipe.lock: holds"))
    assert "gone.yaml: no such file" in answer.err


def test_a_build_whose_gate_failed_is_not_locked_without_a_word(applied_project, trtbuild):
    """It was said when it was built, perhaps to somebody else; and the check says it to all."""
    edit(applied_project, "at_least: 10", "at_least: 99")
    assert 1 == trtbuild("apply", "recipe.yaml").code

    answer = trtbuild("lock", "recipe.yaml")
    checked = trtbuild("lock", "--check", "recipe.yaml")

    assert (0, 1) == (answer.code, checked.code)
    assert "recipe.lock locks a build whose gate failed: sqnr_db ≥ 99: `logits` " in answer.err
    assert "recipe.lock: gate failed: logits: sqnr_db ≥ 99: " in checked.err
    assert "recipe.lock: holds" in checked.out


def test_a_lock_carries_figures_gates_and_verdicts(locked):
    """Those of FP32 too, and which samples are right."""
    lock = read_lock(Path("recipe.lock"))

    assert {"logits.cosine", "logits.sqnr_db", "logits.top1"} == set(lock.measures)
    assert {"logits.top1"} == set(lock.references) == set(lock.right)
    assert 6 == lock.compared["samples"]
    assert {"logits: sqnr_db ≥ 10": True} == {n: each.passed for n, each in lock.gates.items()}


def test_without_a_name_all_locks_below_are_checked(locked, trtbuild):
    """As a hook does, whatever has changed or gone: not only recipes."""
    shutil.copy("eval.npz", "calib.npz")
    Path("uv.lock").write_text("version = 1")

    answer = trtbuild("lock", "--check")

    assert 5 == answer.code
    assert "sources: calib.npz" in answer.err
    assert 2 == trtbuild("lock").code


def test_a_locked_build_is_known_to_be_the_recipes_without_its_data(locked, trtbuild, steps_here):
    """What the lock makes needs none: a run has nothing to doubt."""
    np.savez("x.npz", input=np.ones((2, 3, 8, 8), np.float32))
    Path("calib.npz").unlink()
    assert 0 == trtbuild("apply", "--locked", "recipe.yaml").code

    answer = trtbuild("run", "recipe.yaml", "--input", "x.npz")

    assert (0, False) == (answer.code, "not known" in answer.out)


def model_edited(build):
    path = build / "model.int8.onnx"
    path.write_bytes(path.read_bytes()[::-1])


def engine_edited(build):
    path = build / "rtx/model.engine"
    path.write_bytes(path.read_bytes()[::-1])


def engine_of_another_model(build):
    path = build / "rtx/engine.json"
    result = json.loads(path.read_text())
    path.write_text(json.dumps({**result, "model_digest": "sha256:" + "0" * 64}))


def engine_with_less_int8(build):
    path = build / "rtx/engine.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "delivered_int8": 1}))


PLACED = {
    "model.int8.onnx: ": model_edited,
    "rtx/model.engine: engine.json is of ": engine_edited,
    "rtx/model.engine: built from 0000": engine_of_another_model,
    "rtx/model.engine: delivered_int8: 3 → 1": engine_with_less_int8,
    "rtx/model.engine: what it is cannot be told": lambda b: (b / "rtx/engine.json").unlink(),
}


def test_placed_files_are_held_to_the_lock(locked, trtbuild):
    """It says of what lies in the build directory whether that is the lock's."""
    build = Path("build/small")
    shutil.copytree(build, "kept")
    answer = trtbuild("lock", "--check", "recipe.yaml")
    assert "the models and engines in build/small are the lock's (3 files)" in answer.out
    for reason, harm in PLACED.items():
        shutil.rmtree(build)
        shutil.copytree("kept", build)
        harm(build)

        answer = trtbuild("lock", "--check", "recipe.yaml")

        assert 5 == answer.code
        assert "build/small is not what the lock of recipe.yaml says:" in answer.err
        assert f"  {reason}" in answer.err
        assert "holds\n" not in answer.out


def test_where_nothing_is_placed_that_is_said(locked, trtbuild):
    """Somebody may have built for nothing but the lock, or elsewhere."""
    answer = trtbuild("lock", "--check", "recipe.yaml", "--build-dir", "elsewhere")

    assert 0 == answer.code
    assert "nothing is placed in elsewhere/small: no file there is checked" in answer.out
