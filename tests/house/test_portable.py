"""What needs no engine works on any system; what needs Linux says so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import trtbuild
from tests.helpers import windows
from tests.helpers.projects import small_project

PACKAGE = Path(trtbuild.__file__).parent
TABLE = "input: 2.5\nlogits: 8\n"
WORKING = {
    "validate recipe.yaml": "",
    "plan recipe.yaml": "build_engine(rtx)",
    "diff recipe.yaml other.yaml": "percentile",
    "check recipe.yaml": "no rule is broken",
    "check model.onnx": "no rule is broken",
    "ranges import table.txt --recipe recipe.yaml": "1 of the 3 tensors",
    "ranges show table.txt": "logits",
    "ranges diff table.txt table.txt": "2 of 2 limits are equal",
    "ranges export table.txt --format tensorrt --trt-version 10.16.1": "logits: 3d810204",
    "why recipe.yaml": "last run",
    "status": "nothing is being built",
    "script recipe.yaml --target rtx": "Build the target `rtx`",
    "inspect model.onnx": "model.onnx",
    "schema": "$defs",
    "kinds": "percentile",
    "store ls": "recipe",
    "store du": "in no last run",
    "store gc": "removed",
    "doctor": "onnxruntime",
}
ANSWERED_WITH_NO = {"diff", "inspect"}
"""The recipes differ, and a model is no engine."""
BUILDING = {"apply recipe.yaml": "building", "verify recipe.yaml": "verifying"}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A recipe with a variant, and a table of ranges."""
    recipe = small_project(tmp_path_factory.mktemp("project"))
    other = recipe.read_text().replace("minmax}", "percentile, percentile: 99.9}")
    recipe.with_name("other.yaml").write_text(other)
    recipe.with_name("table.txt").write_text(TABLE)
    return recipe.parent


def on_windows(command, folder):
    return subprocess.run(
        [sys.executable, windows.__file__, *command.split()],
        cwd=folder,
        env={**os.environ, "TRTBUILD_STORE": str(folder / "store")},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def answers(project):
    """What each command that works answers, all typed in one process: code, output, errors."""
    code = (
        "import dataclasses, json, os, sys, unittest.mock\n"
        "from tests.helpers.windows import leave_posix\n"
        "leave_posix()\n"
        "from tests.helpers.typed import typed\n"
        "os.chdir(sys.argv[1])\n"
        "answers = [dataclasses.asdict(typed(*each.split())) for each in sys.argv[2:]]\n"
        "print(json.dumps(answers))\n"
    )
    said = subprocess.check_output(
        [sys.executable, "-c", code, project, *WORKING],
        cwd=PACKAGE.parent,
        env={**os.environ, "TRTBUILD_STORE": str(project / "store")},
    )
    return dict(zip(WORKING, json.loads(said), strict=True))


@pytest.mark.parametrize("command", WORKING)
def test_what_builds_no_engine_works_without_posix(command, answers):
    """Reviewers and editors have other machines than builds do."""
    answer = answers[command]

    assert "" == answer["err"]
    assert int(command.split()[0] in ANSWERED_WITH_NO) == answer["code"]
    assert WORKING[command] in answer["out"]


@pytest.mark.parametrize("command", BUILDING)
def test_what_needs_linux_says_so(command, project):
    """In one line and what to do, before anything is done."""
    done = on_windows(command, project)

    assert 4 == done.returncode
    first, hint = done.stderr.splitlines()
    assert f"error: {BUILDING[command]} needs Linux, and this is Windows" == first
    assert "Subsystem for Linux" in hint
    assert not (project / "build").exists()


def test_every_module_can_be_imported_without_posix(project):
    """What a function needs of it is imported in the function."""
    names = [
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        for path in PACKAGE.rglob("*.py")
        if path.stem != "__main__"
    ]
    code = (
        "import importlib, sys\n"
        "from tests.helpers.windows import leave_posix\n"
        "leave_posix()\n"
        f"for name in {names!r}:\n"
        "    importlib.import_module(name)\n"
    )

    subprocess.run([sys.executable, "-c", code], cwd=PACKAGE.parent, check=True)
