"""trtbuild run PIPELINE, as its user meets it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from trtbuild.cli.show_pipeline import show_memory, show_summary
from trtbuild.pipeline.memory_plan import MemoryPlan, StageMemory
from trtbuild.pipeline.summary import PipelineSummary

PIPELINE = """\
version: 1
source: {kind: folder, path: in}
stages:
  same: {python: "code.py:same"}
results: {json_lines: out.jsonl}
"""


@pytest.fixture
def pipeline(project):
    folder = project.parent
    (folder / "p.yaml").write_text(PIPELINE)
    (folder / "code.py").write_text("def same(item):\n    return item\n")
    (folder / "in").mkdir()
    for number in range(3):
        Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(folder / f"in/{number}.png")
    return folder


def test_it_says_how_it_went(pipeline, trtbuild):
    """Frames, rate, delays, and each part."""
    answer = trtbuild("run", "p.yaml")

    assert 0 == answer.code, answer.err
    assert answer.out.startswith("3 results of 3 frames in ")
    assert "from a frame to its result: p50 " in answer.out
    assert 3 == len((pipeline / "out.jsonl").read_text().splitlines())
    assert 3 == json.loads(trtbuild("run", "p.yaml", "--format", "json").out)["results"]


def test_it_says_what_ran_each_model(capsys):
    """And why not the engine, which a user takes it for."""
    part = {"stage": "find", "part": "infer", "items": 1, "busy": 0.5, "left_out": 0, "dropped": 0,
            "queue_mean": 0, "queue_longest": 1}  # fmt: skip
    parts = ({**part, "runs": "m.onnx in ONNX Runtime", "why": ("e: is of an L4",)},)
    show_summary(
        PipelineSummary(
            frames=1, results=1, dropped=0, seconds=1, delays_ms={}, parts=parts, code={}
        )
    )

    lines = capsys.readouterr().out.splitlines()
    assert ["  find: m.onnx in ONNX Runtime", "    note: e: is of an L4"] == lines[-2:]


def test_what_is_typed_wrong_is_told(pipeline, trtbuild):
    """A pipeline has its own source; a recipe has none."""
    for arguments, told in (
        (["p.yaml", "--input", "in"], "a pipeline names its source itself"),
        (["recipe.yaml"], "`--input` is missing"),
    ):
        answer = trtbuild("run", *arguments)
        assert 2 == answer.code
        assert told in answer.err


def test_what_engines_take_is_told_at_the_start(capsys):
    """Stage by stage, and together against what is free."""
    told = {"weights_bytes": 1 << 20, "context_bytes": 1 << 21, "buffer_bytes": 0}
    stage = StageMemory(stage="find", engine="e", **told)
    show_memory(MemoryPlan(gpu="an L4", free_bytes=1 << 23, stages=(stage,), unknown=("name: w",)))

    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("  find 3.0 MiB (weights 1.0 MiB, layers 2.0 MiB")
    assert ["  not known before: name: w", "an L4: 3.0 MiB of 8.0 MiB that are free"] == lines[1:]
