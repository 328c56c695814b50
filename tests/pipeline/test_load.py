"""A pipeline's file is read with a recipe's care."""

from __future__ import annotations

import pytest

from trtbuild.core.errors import RecipeError
from trtbuild.pipeline.load import is_pipeline, load_pipeline

GOOD = """\
version: 1
source: {kind: video, path: street.mp4, rate: 30}
stages:
  find: {recipe: detector.yaml, batch: 4, wait_ms: 5, queue: {size: 4, full: drop_oldest}}
  cut: {python: "code.py:cut"}
results: {json_lines: out.jsonl}
"""


def write(folder, text):
    path = folder / "p.yaml"
    path.write_text(text)
    return path


def test_it_is_known_by_its_stages(tmp_path):
    """And is no recipe."""
    path = write(tmp_path, GOOD)

    assert is_pipeline(path)
    assert ["find", "cut"] == list(load_pipeline(path).pipeline.stages)
    assert is_pipeline(write(tmp_path, GOOD.replace("stages", "stagse")))
    assert not is_pipeline(write(tmp_path, "version: 1\nmodel: {}\n"))
    assert not is_pipeline(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("before", "after", "line", "told"),
    [
        ("version: 1\n", "", 1, "`version` is missing"),
        ("rate: 30", "rate: 0", 2, "`rate` must be greater than 0, not 0"),
        ("  cut:", "  1st:", 5, "`1st` is no name of a stage"),
        ("kind: video", "kind: radio", 2, '`kind` must be .*`camera` or `queue`, not text "radio"'),
        ("batch: 4", "bach: 4", 4, "`bach` is not an option of a stage"),
        ("{recipe: detector.yaml, ", "{", 4, "either `recipe` or `python`"),
        ('{python: "code.py:cut"}', '{python: "code.py:cut", device: cpu}', 5, "are for a stage"),
        ("  cut:", "  name:", 5, "`name` is in each line of results already"),
        (GOOD, "- 1\n", 1, "a pipeline is a mapping"),
        ("stages:\n", "stages: {}\nx:\n", 3, "`stages` is empty"),
        ('{python: "code.py:cut"}', "code.py:cut", 5, "`cut` must be a mapping, not text"),
        ("batch: 4", "batch: 1.5", 4, "`batch` must be a whole number, not 1.5"),
        ("out.jsonl", "street.mp4", 6, "`json_lines` would be written over .*is the source"),
        ("out.jsonl", "./p.yaml", 6, "which is the pipeline itself"),
        ("out.jsonl", "code.py", 6, "which is read by the stage `cut`"),
        ("out.jsonl", "a.mp4, video: a.mp4", 6, "`video` would .* what `json_lines` is written to"),
        ("results:", "results: &a", 6, None),
    ],
)
def test_what_is_wrong_is_told_at_its_line(tmp_path, before, after, line, told):
    """All of it at once, as in recipes."""
    path = write(tmp_path, GOOD.replace(before, after))
    if told is None:
        load_pipeline(path)
        return
    with pytest.raises(RecipeError, match=told) as caught:
        load_pipeline(path)

    assert line == caught.value.problems[0].mark.line
