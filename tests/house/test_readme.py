"""The README says what is so."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from tests.helpers.projects import small_project
from tests.helpers.reference import reference
from trtbuild.api.executors import EXECUTORS
from trtbuild.cli.app import GROUPS, VERBS
from trtbuild.run.inline import Inline

README = Path(__file__).parents[2] / "README.md"
BEGIN, END = "<!-- reference: made from the schema -->", "<!-- end of the reference -->"


def test_the_reference_is_the_schemas(request):
    """Every section, kind and option; `--rewrite-golden` writes it anew."""
    text = README.read_text()
    before, rest = text.split(BEGIN)
    inside, after = rest.split(END)
    if request.config.getoption("--rewrite-golden"):
        README.write_text(f"{before}{BEGIN}\n\n{reference()}\n{END}{after}")
        return

    assert reference().strip() == inside.strip()


def test_the_two_commands_come_first():
    """One ends in an apply with real engines, the other runs the tests; each is one line."""
    first, second = re.findall(r"```sh\n(.*?)```", README.read_text(), flags=re.DOTALL)[:2]

    assert first.strip().endswith("trtbuild apply recipes/resnet50_int8.yaml")
    assert "pytest" in second
    assert (1, 1) == (first.strip().count("\n") + 1, second.strip().count("\n") + 1)


def test_every_verb_it_shows_exists():
    """And every verb that exists is shown."""
    shown = set(re.findall(r"\btrtbuild ([a-z]+)\b", README.read_text()))
    verbs = {*VERBS, *GROUPS}

    assert verbs <= shown
    assert (
        set() == set(re.findall(r"^\$ trtbuild ([a-z]+)", README.read_text(), re.MULTILINE)) - verbs
    )


def test_the_python_example_runs(tmp_path, monkeypatch, capsys):
    """As it stands, in a folder with a recipe and inputs."""
    recipe = small_project(tmp_path)
    monkeypatch.chdir(recipe.parent)
    monkeypatch.setitem(EXECUTORS, "local", lambda _jobs: Inline())
    monkeypatch.setenv("TRTBUILD_STORE", str(tmp_path / "store"))
    np.savez("inputs.npz", input=np.zeros((1, 3, 8, 8), np.float32))
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    (example,) = [each for each in blocks if each.startswith("from trtbuild import api")]

    exec(example, names := {})  # noqa: S102  # what the README tells people to run

    assert "layers in INT8" in capsys.readouterr().out
    assert "calibrate" in names["to_do"]
    assert names["outputs"]
