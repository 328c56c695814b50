"""trtbuild apply, as its user meets it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from tests.helpers.projects import edit, small_project, started

FILES = {
    "model.fp32.onnx", "model.int8.onnx", "ranges.json", "comparison.json",
    "report.md", "report.html", "rtx/model.engine", "rtx/engine.json",
}  # fmt: skip
SAME_BYTES = {"model.fp32.onnx", "model.int8.onnx", "ranges.json", "comparison.json"}


def visible(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


def test_apply_leaves_what_it_promises(project, trtbuild):
    """Engines, models, ranges, comparison and reports; and INT8 delivered, layer by layer."""
    answer = trtbuild("apply", "recipe.yaml")

    assert 0 == answer.code, answer.err
    assert FILES == set(visible(Path("build/small")))
    result = json.loads(Path("build/small/rtx/engine.json").read_text())
    assert [("int8", "int8")] * 3 == [
        (layer["asked"], layer["delivered"]) for layer in result["layers"]
    ]
    assert "3 of 3 delivered" in answer.out


@pytest.mark.usefixtures("steps_here")
def test_a_second_apply_runs_nothing_and_leaves_the_same_files(project, trtbuild):
    """Not even their times move."""
    trtbuild("apply", "recipe.yaml")
    before = {path: os.stat(f"build/small/{path}") for path in FILES}  # noqa: PTH116

    answer = trtbuild("apply", "recipe.yaml")

    assert 0 == answer.code
    assert "nothing to do" in answer.out
    assert before == {path: os.stat(f"build/small/{path}") for path in FILES}  # noqa: PTH116


def test_the_same_recipe_gives_the_same_bytes_elsewhere(applied_project, tmp_path):
    """In another directory, process and store, with other jobs: level 0.

    Not the engine: TensorRT-RTX numbers the names within a plan by where things lie in memory.
    """
    recipe = small_project(tmp_path / "other" / "project")
    code = "import sys; from trtbuild.cli.start import main; main(sys.argv[1:])"
    subprocess.run(
        [sys.executable, "-c", code, "apply", "-q", "--jobs", "2", str(recipe)],
        check=True,
        cwd=recipe.parent,
        env={**os.environ, "TRTBUILD_STORE": str(tmp_path / "other" / "store")},
    )
    here, there = (visible(each.parent / "build/small") for each in (applied_project, recipe))

    assert {path: here[path] for path in SAME_BYTES} == {path: there[path] for path in SAME_BYTES}


@pytest.mark.usefixtures("steps_here")
def test_a_failed_gate_is_exit_code_1_and_leaves_what_lies_there(applied_project, trtbuild):
    """What the refused build came to stands beside, with what to do next; then it goes."""
    before = visible(Path("build/small"))
    edit(applied_project, "at_least: 10", "at_least: 90")

    answer = trtbuild("apply", "-q", "recipe.yaml")

    assert 1 == answer.code
    assert "small: gate failed: sqnr_db ≥ 90" in answer.err
    assert "missed by " in answer.err
    assert "these stay as they were: " in answer.err
    assert "trtbuild sensitivity recipe.yaml" in answer.err
    assert (
        "small: what costs most, each alone in INT8, by the worst output's SQNR on 6 of 6"
        in answer.err
    )
    after = visible(Path("build/small"))
    assert before == {path: each for path, each in after.items() if "failed/" not in path}
    told = {"report.md", "report.html", "comparison.json", "ranges.json", "sensitivity.json"}
    assert {f"failed/{name}" for name in told} == set(after) - set(before)
    report = Path("build/small/failed/report.md").read_text()
    assert "**Not placed**: no model and no engine." in report
    assert "What costs most: `" in report
    assert "sqnr_db ≥ 90" in report

    edit(applied_project, "at_least: 90", "at_least: 10")
    assert 0 == trtbuild("apply", "-q", "recipe.yaml").code
    assert before == visible(Path("build/small"))


@pytest.mark.usefixtures("steps_here")
def test_no_gates_places_what_failed_and_says_so_everywhere(applied_project, trtbuild):
    """In the terminal, in the report, beside the engine; it stays exit code 1."""
    edit(applied_project, "at_least: 10", "at_least: 90")

    answer = trtbuild("apply", "--no-gates", "recipe.yaml")

    assert 1 == answer.code
    assert "placed all the same (--no-gates)" in answer.err
    assert "places it as it is" not in answer.err
    assert not Path("build/small/failed").exists()
    assert "**Placed all the same**" in Path("build/small/report.md").read_text()
    (engine,) = Path("build/small").glob("*/engine.json")
    assert ["placed with --no-gates: sqnr_db ≥ 90"] == json.loads(engine.read_text())["caveats"]


@pytest.mark.usefixtures("steps_here")
def test_a_gate_on_the_lock_waits_for_one_and_then_holds(applied_project, trtbuild):
    """Without a lock it is not judged, and stands in the way of nothing."""
    edit(applied_project, "at_least: 10", "drop_from_lock_at_most: 0.1")

    first = trtbuild("apply", "recipe.yaml")
    assert 0 == first.code
    assert "gate NOT JUDGED: sqnr_db drop from the lock ≤ 0.1 dB: `" in first.out

    assert 0 == trtbuild("lock", "recipe.yaml").code
    held = trtbuild("apply", "recipe.yaml")
    assert 0 == held.code
    assert "gate passed: sqnr_db drop from the lock ≤ 0.1 dB: `" in held.out
    assert "no drop" in held.out
    comparison = json.loads(Path("build/small/comparison.json").read_text())
    assert [True] == [each["passed"] for each in comparison["verdicts"]]

    text = Path("recipe.lock").read_text()
    higher = re.sub(r'(\.sqnr_db" = )(\d+)', lambda m: f"{m[1]}{int(m[2]) + 50}", text, count=1)
    assert text != higher
    Path("recipe.lock").write_text(higher)
    fallen = trtbuild("apply", "-q", "recipe.yaml")
    assert 1 == fallen.code
    assert "gate failed: sqnr_db drop from the lock ≤ 0.1 dB: `" in fallen.err


def test_two_applies_at_once_do_the_work_once(tmp_path):
    """Whoever comes second waits and reuses."""
    recipe = small_project(tmp_path / "project")

    both = [started(recipe, tmp_path / "store") for _ in range(2)]
    told = [process.communicate()[0] for process in both]

    assert [0, 0] == [process.returncode for process in both], told
    ran = [line.split()[1] for text in told for line in text.splitlines() if "  done" in line]
    assert len(ran) == len(set(ran))


@pytest.mark.usefixtures("steps_here")
def test_only_the_asked_target_is_built(project, trtbuild):
    """Its neighbours stay as they are."""
    edit(project, "targets:\n", "targets:\n  other: {kind: onnxruntime}\n")

    answer = trtbuild("apply", "recipe.yaml", "--target", "other")

    assert 0 == answer.code, answer.err
    assert {"other"} == {path.split("/")[0] for path in visible(Path("build/small")) if "/" in path}


def test_the_interrupt_key_ends_it_cleanly(tmp_path):
    """Exit code 130, one line, no worker left behind, and nothing half-made in the store."""
    recipe = small_project(tmp_path / "project")
    # A background job ignores the interrupt key, and what it starts would too.
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    process = started(recipe, tmp_path / "store", preexec_fn=heard)
    while "run " not in process.stdout.readline():
        assert process.poll() is None

    process.send_signal(signal.SIGINT)
    told, _ = process.communicate(timeout=60)

    assert 130 == process.returncode, told
    assert "interrupted; the store is intact" in told
    assert "Traceback" not in told
    assert [] == list((tmp_path / "store/work").iterdir())


def test_an_edited_result_that_is_put_right_is_named(applied_project, trtbuild):
    """Else an edit would be gone without a word."""
    trtbuild("apply", "recipe.yaml")
    Path("build/small/ranges.json").write_text("mine")

    first, second = trtbuild("apply", "recipe.yaml"), trtbuild("apply", "recipe.yaml")

    assert "no step to run, placed anew: ranges.json; results in" in first.out
    assert "nothing to do" in second.out
