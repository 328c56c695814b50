"""What a real TensorRT answers, held against what trtbuild rests on.

`pytest -m gpu tests/gpu --record` also writes the answers down, for the doubles to give.
"""

from __future__ import annotations

import json

import pytest

from tests.helpers.projects import edit, small_project
from tests.helpers.trt_answers import EXPECTED
from tests.helpers.trt_recorder import list_questions
from trtbuild import api
from trtbuild.core.needs import read_capability
from trtbuild.machine.facts import InstalledPackages

pytestmark = pytest.mark.gpu
TARGET = "{kind: tensorrt_rtx, compute_capabilities: [8.9], workspace: 256MiB}"


@pytest.mark.parametrize("question", sorted(EXPECTED))
def test_it_answers_as_trtbuild_takes_it_to(kind, answers, question):
    """Each question on its own; a disagreement names it."""
    if question not in list_questions(kind):
        pytest.skip(f"{question} is not asked of {kind}")
    (path,) = answers.glob(f"{question}.*")
    answer = path.read_bytes() if path.suffix == ".bin" else json.loads(path.read_text())

    assert "failed" not in answer if isinstance(answer, dict) else True
    EXPECTED[question](kind, answer)


def test_apply_builds_runs_and_compares_the_engine(kind, tmp_path, monkeypatch):
    """From a recipe to the engine's own figures; its gate holds."""
    gpu = InstalledPackages()["gpu"]
    options = f"{{kind: {kind}}}"
    if kind == "tensorrt_rtx":
        options = f"{{kind: {kind}, compute_capabilities: [{read_capability(gpu)}]}}"
    recipe = edit(small_project(tmp_path / "project"), TARGET, options)
    monkeypatch.setenv("TRTBUILD_STORE", str(tmp_path / "store"))

    done = api.apply(recipe, build_dir=tmp_path / "build")

    (engine,) = done.record.engine_comparisons
    assert engine.runner.endswith(f"on {gpu}")
    assert done.passed
    assert (done.directory / "rtx/comparison.json").is_file()
