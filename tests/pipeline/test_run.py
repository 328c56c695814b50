"""Frames go through all stages, in order, none lost; what fails says where."""

from __future__ import annotations

import functools
import json
import queue
import time

import numpy as np
import pytest
from PIL import Image

from tests.pipeline.conftest import paint
from trtbuild.core.errors import MissingFile, NotWritable, StepInputError
from trtbuild.pipeline.item import Item
from trtbuild.pipeline.load import load_pipeline
from trtbuild.pipeline.run import run_pipeline
from trtbuild.pipeline.workers import StagePart

MODEL = {"recipe": "mean.yaml", "threads": 1}


def test_every_frame_comes_out_in_its_order(run):
    """With what the stage's recipe says of it."""
    found, lines = run({"colour": {**MODEL, "batch": 4, "wait_ms": 5}}, paint(50))

    assert (50, 50, 0) == (found.frames, found.results, found.dropped)
    assert [(n, n % 3) for n in range(50)] == [
        (line["frame"], line["colour"][0][0]["class"]) for line in lines
    ]
    assert {"p50", "p90", "p99"} == set(found.delays_ms)
    assert ["preprocess", "infer", "answer"] == [each.part for each in found.parts]


def test_a_function_says_what_the_next_recipe_looks_at(run):
    """Two models behind each other, and one picture becomes two."""
    frames = list(paint(3))
    frames[0].picture[4:] = (0, 0, 255)
    stages = {"all": MODEL, "cut": {"python": "code.py:halve"}, "halves": {**MODEL, "batch": 2}}
    found, lines = run(stages, frames)

    assert [[0], [0, 2]] == [
        [each[0]["class"] for each in lines[0][name]] for name in ("all", "halves")
    ]
    assert {"halves": 2} == lines[0]["values"]
    assert ["code.py"] == [file.rsplit("/", 1)[-1] for file in found.code]


def test_what_a_function_leaves_out_is_counted(run):
    """It is no result, and not lost in silence."""
    found, lines = run({"some": {"python": "code.py:odd"}}, paint(10))

    assert [1, 3, 5, 7, 9] == [line["frame"] for line in lines]
    assert (5, 5) == (found.results, found.parts[0].left_out)


def test_a_full_queue_drops_the_oldest_where_it_may(run, project):
    """A stage that is slower than its source: late frames are the newest, and the rest counted."""

    def hurry():
        for item in paint(60):
            yield item
            time.sleep(0.001)

    slow = {"python": "slow.py:nap", "queue": {"size": 2, "full": "drop_oldest"}}
    (project / "slow.py").write_text(
        "import time\ndef nap(item):\n    time.sleep(0.02)\n    return item\n"
    )
    found, lines = run({"slow": slow}, hurry())

    numbers = [line["frame"] for line in lines]
    assert sorted(numbers) == numbers
    assert 59 == numbers[-1]
    assert found.dropped > 0
    assert 60 == found.results + found.dropped


@pytest.mark.parametrize(
    ("function", "told"),
    [
        ("fail", "stage `it`: fail raised ValueError on frame f0: no"),
        ("wrong", "returned int"),
        ("leave", "stage `it`: leave raised SystemExit on frame f0: 3"),
        ("empty", r"stage `it`: empty on frame f0: picture 0 is uint8 \[0, 8, 3\]"),
        ("late", "stage `it`: late on frame f1: was given frame number 1, and returned 0"),
    ],
)
def test_a_stage_that_fails_ends_it(run, project, function, told):
    """With the stage and the frame; no half-written result stays."""
    with pytest.raises(StepInputError, match=told):
        run({"it": {"python": f"code.py:{function}"}, "then": MODEL}, paint(1000))

    assert not (project / "out.jsonl").exists()


def test_a_source_that_fails_ends_it(run):
    """As its own error."""

    def broken():
        yield from paint(2)
        raise StepInputError("the camera is gone")

    with pytest.raises(StepInputError, match="the camera is gone"):
        run({"colour": MODEL}, broken())


def test_a_recipe_that_is_not_built_is_told_before_a_frame_is_read(run, project):
    """With the command that builds it."""
    (project / "build/mean/model.fp32.onnx").unlink()

    with pytest.raises(MissingFile, match="is not built there"):
        run({"colour": MODEL}, paint(1))


def test_what_runs_a_model_is_told_and_what_is_not_known_of_it(run, project):
    """Else a model on the CPU would be taken for the engine."""
    run({"colour": MODEL}, paint(1))
    found = run_pipeline(
        load_pipeline(project / "p.yaml"),
        project / "build",
        frames=paint(1),
        doubt=lambda *_: "it may be an older one",
    )
    (part,) = [each for each in found.parts if each.runs]

    assert ("colour", "infer", ("it may be an older one",)) == (part.stage, part.part, part.why)
    assert "model.fp32.onnx in ONNX Runtime" in part.runs


def test_pictures_of_any_size_go_through(run):
    """The preprocessing is the recipe's own."""
    frames = [Item(0, "a", np.full((30, 10, 3), 7, np.uint8)), *paint(1, (6, 90))]
    found, _ = run({"colour": {**MODEL, "batch": 2, "wait_ms": 50}}, frames)

    assert 2 == found.results


def test_a_recipe_is_run_on_nothing_where_a_function_found_nothing(run):
    """Not on the frame: that would be an answer to what nobody asked."""
    stages = {"none": {"python": "code.py:none"}, "colour": MODEL, "again": MODEL}
    _, lines = run(stages, paint(2))

    assert [[], []] == [each["colour"] for each in lines]
    assert [0, 1] == [each["again"][0][0]["class"] for each in lines]


def test_a_stage_that_fails_ends_a_queue_that_gives_no_more(run):
    """Whoever fills it has not said that it ends."""
    given = queue.Queue()
    given.put(np.zeros((8, 8, 3), np.uint8))

    with pytest.raises(StepInputError, match="fail raised ValueError"):
        run({"s": {"python": "code.py:fail"}}, given)


def test_every_part_is_closed_though_one_fails_to(run, monkeypatch):
    """As where what an engine compiled cannot be kept: the memory of the others is given back."""
    closed = []

    def close(name):
        closed.append(name)
        raise NotWritable(f"{name}: cannot be kept")

    parts = [
        StagePart("it", name, list, close=functools.partial(close, name)) for name in ("a", "b")
    ]
    monkeypatch.setattr("trtbuild.pipeline.run.make_parts", lambda *_: parts)

    with pytest.raises(NotWritable):
        run({"it": {"python": "code.py:odd"}}, paint(1))
    assert ["a", "b"] == sorted(closed)


def test_a_failure_does_not_wait_for_the_next_frame(project):
    """Of a source with one in a hundred seconds."""
    (project / "in").mkdir()
    for name in "ab":
        Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(project / f"in/{name}.png")
    told = {
        "version": 1,
        "source": {"kind": "folder", "path": "in", "rate": 0.01},
        "stages": {"it": {"python": "code.py:fail"}},
    }
    (project / "p.yaml").write_text(json.dumps(told))
    before = time.monotonic()

    with pytest.raises(StepInputError, match="fail raised"):
        run_pipeline(load_pipeline(project / "p.yaml"), project / "build")
    assert time.monotonic() - before < 30
