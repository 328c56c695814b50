"""Where the command begins."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.typed import typed
from trtbuild.cli import start
from trtbuild.core import digest
from trtbuild.store import stamp


@pytest.fixture
def kept(applied_project, monkeypatch):
    """An applied project; what `trtbuild plan recipe.yaml` says is kept."""
    monkeypatch.setattr(stamp, "SETTLED_SECONDS", -3600)
    monkeypatch.setattr(digest, "SETTLED_SECONDS", -3600)
    assert [False, False, True] == [typed("plan", "recipe.yaml").stamped for _ in range(3)]


def test_the_command_begins_here(kept):
    """And says the same as here."""
    tool = [sys.executable, "-m", "trtbuild", "plan", "recipe.yaml"]

    answer = subprocess.run(tool, capture_output=True, check=True, text=True)

    assert typed("plan", "recipe.yaml").out == answer.stdout


def test_what_a_plan_writes_is_written_each_time(kept, tmp_path):
    """A command that leaves a file behind has something to do."""
    for _ in range(2):
        assert not typed("plan", "recipe.yaml", "--out", tmp_path / "plan.json").stamped
        (tmp_path / "plan.json").unlink()


@pytest.mark.parametrize("option", ["-h", "--help", "-qh"])
def test_help_is_as_wide_as_the_terminal(kept, option):
    """How wide that is can change, and no file tells."""
    for _ in range(2):
        answer = typed("apply", option)
        assert (0, False) == (answer.code, answer.stamped)


def test_what_is_wrong_is_said_by_the_long_way(kept):
    """An error is looked for each time."""
    for _ in range(2):
        answer = typed("plan", "nothing.yaml")
        assert (4, False) == (answer.code, answer.stamped)


def test_a_failed_gate_is_said_by_the_long_way(kept):
    """Only a plain yes is kept."""
    recipe = Path("recipe.yaml").read_text()
    Path("strict.yaml").write_text(recipe.replace("at_least: 10", "at_least: 90"))

    assert [(1, False)] * 3 == [
        (each.code, each.stamped) for each in (typed("apply", "strict.yaml") for _ in range(3))
    ]


def test_a_stream_that_cannot_take_every_character_is_written_by_the_long_way(kept):
    """It knows what to do with an arrow where there is none."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="replace")
    called = []
    with contextlib.redirect_stdout(out), pytest.MonkeyPatch.context() as patch:
        patch.setattr(start, "_run_anew", lambda arguments: called.append(arguments) or 0)
        assert 0 == start.run(["plan", "recipe.yaml"])

    assert [["plan", "recipe.yaml"]] == called


def test_an_answer_that_cannot_be_written_is_left_to_the_long_way(kept, monkeypatch):
    """It says so as ever, with the exit code that it has for that."""
    called = []
    monkeypatch.setattr(start, "_run_anew", lambda arguments: called.append(arguments) or 4)
    # Unbuffered: what is left in a buffer would be written, and fail, once more at its end.
    full = io.TextIOWrapper(io.FileIO("/dev/full", "w"), encoding="utf-8", write_through=True)
    with full, contextlib.redirect_stdout(full):
        assert 4 == start.run(["plan", "recipe.yaml"])

    assert [["plan", "recipe.yaml"]] == called


def test_a_word_that_is_no_verb_is_nothing_to_keep(tmp_path, monkeypatch):
    """Nothing is looked up for it."""
    monkeypatch.setenv("TRTBUILD_STORE", str(tmp_path / "store"))

    assert 0 == typed("--version").code
    assert 2 == typed("aply", "recipe.yaml").code
    assert not (tmp_path / "store").exists()


def test_a_command_without_a_directory_goes_the_long_way(kept, tmp_path, monkeypatch):
    """Relative paths would mean nothing."""
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()

    assert stamp.make_key(["plan", "recipe.yaml"]) is None


def test_no_plugin_of_pydantic_s_is_looked_for():
    """It would cost a tenth of a plan, and could change what a recipe means."""
    code = (
        "import sys; from trtbuild.cli import start\n"
        "try: start.main(['kinds', 'fixes'])\n"
        "except SystemExit: print('plugins', len(list(sys.modules['pydantic.plugin._loader']"
        ".get_plugins())), sys.modules['pydantic.plugin._loader']._plugins)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)

    assert said.stdout.endswith("plugins 0 None\n")
