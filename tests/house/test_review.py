"""The hooks and the workflow that the README gives run what they say."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.helpers.projects import edit, small_project

ROOT = Path(__file__).parents[2]
HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
WORKFLOW = yaml.safe_load(
    next(
        block
        for block in re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
        if "runs-on" in block
    )
)


def git(folder, *arguments):
    names = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run(["git", *names, *arguments], check=True, cwd=folder, capture_output=True)  # noqa: S607


@pytest.fixture
def repository(tmp_path):
    """A clone with a topic branch, as a runner has it."""
    small_project(tmp_path / "origin/recipes")
    git(tmp_path / "origin", "init", "-q", "-b", "main")
    git(tmp_path / "origin", "add", "-A")
    git(tmp_path / "origin", "commit", "-q", "-m", "one")
    git(tmp_path, "clone", "-q", "origin", "clone")
    edit(tmp_path / "clone/recipes/recipe.yaml", "256MiB", "512MiB")
    git(tmp_path / "clone", "commit", "-q", "-a", "-m", "two")
    return tmp_path / "clone"


def run(command, folder):
    env = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "GITHUB_BASE_REF": "main",
        "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
        "TRTBUILD_STORE": str(folder / "store"),
    }
    return subprocess.run(
        ["/bin/bash", "-e", "-c", command],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_workflow_runs(repository):
    """Its own commands, but the installation; the summary tells of the change."""
    (job,) = WORKFLOW["jobs"].values()
    commands = [step["run"] for step in job["steps"] if "run" in step]
    for command in commands[1:]:
        answer = run(command, repository)
        assert 0 == answer.returncode, answer.stderr

    assert "targets.rtx.workspace" in (repository / "summary.md").read_text().replace("\\", "")


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_a_hook_names_a_command_that_exists(repository, hook):
    """One looks at recipes alone; the other at all that they name, whatever has changed."""
    assert shutil.which("trtbuild", path=str(Path(sys.executable).parent))
    assert re.search(hook["files"], "recipes/recipe.yaml")
    always = hook.get("always_run", False)
    assert always == bool(re.search(hook["files"], "recipes/models/x.onnx"))
    assert always == (hook["id"] == "trtbuild-lock")
    answer = run(f"{hook['entry']} recipes/recipe.yaml", repository)
    wanted = 0 if hook["id"] == "trtbuild-validate" else 4  # nothing is locked there
    assert wanted == answer.returncode, answer.stderr
