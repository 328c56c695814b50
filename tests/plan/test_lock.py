"""The lock's file: every name survives it, and what differs is told."""

from __future__ import annotations

import pytest

from trtbuild.core.errors import UsageError
from trtbuild.core.values import Range
from trtbuild.plan.lock import Lock, LockedTarget, find_lock, list_differing, read_lock, write_lock

TARGET = LockedTarget(
    backend="tensorrt_rtx",
    built_for=("8.9",),
    engine_size_bytes=1000,
    asked_int8=3,
    delivered_int8=3,
    level=1,
    options={"tf32": "on"},
)
AA, BB = "sha256:" + "aa" * 32, "sha256:" + "bb" * 32


def lock(**changes):
    empty = {name: {} for name in Lock.model_fields if name not in {"format", "samples", "ranges"}}
    return Lock.model_validate({**empty, **changes})


FULL = lock(
    models={"fp32": AA},
    samples=64,
    ranges={"b": Range(low=-1.0, high=0.1, origin="calibrated", observed=(-1.0, 0.3))},
    recipe={"name": "x", "quantization.skip[0]": "*/fc/*", "compare.at": 0.5, "on": True},
    sources={"m.onnx": AA},
    tools={"onnx": "1.0"},
    targets={"rtx": TARGET},
    measures={"y.cosine": 0.999},
)


def test_a_lock_lies_beside_its_recipe(tmp_path):
    """With another ending."""
    assert tmp_path / "small.lock" == find_lock(tmp_path / "small.yaml")


def test_a_lock_is_a_fact_a_line_sorted(tmp_path):
    """So a change is a line of a diff, and two that are not of one place merge."""
    write_lock(tmp_path / "a.lock", FULL)
    lines = (tmp_path / "a.lock").read_text().splitlines()

    assert '"quantization.skip[0]" = "*/fc/*"' in lines
    assert "rtx.engine_size_bytes = 1000" in lines
    assert 'rtx.options.tf32 = "on"' in lines
    heads = [line for line in lines if line.startswith("[")]
    assert sorted(heads) == heads


def test_a_lock_that_says_the_same_is_not_written(tmp_path):
    """Its time stays."""
    assert write_lock(tmp_path / "a.lock", FULL)
    assert not write_lock(tmp_path / "a.lock", FULL)
    assert FULL == read_lock(tmp_path / "a.lock")


@pytest.mark.parametrize(
    "name", ["a.b", 'a"b', "a\\b", "end\nof", "\x00\x1f\x7f\x85", "é漢😀", "", " a ", "[a]", "# a"]
)
def test_any_name_survives(tmp_path, name):
    """Of a tensor, a file or a target: quotes, ends of lines, control characters."""
    before = lock(
        ranges={name: Range(low=-1.0, high=1.0, origin="calibrated")},
        sources={name: AA},
        recipe={name: name},
        targets={name: TARGET},
    )

    write_lock(tmp_path / "a.lock", before)

    assert before == read_lock(tmp_path / "a.lock")


@pytest.mark.parametrize(
    ("says", "text"),
    [
        ("is damaged", "<<<<<<< HEAD"),
        ("is no lock", "format = 1\n[models]\nfp32 = 1979-05-27"),
        ("is no lock", "format = 2"),
        ("is no lock", "x = 1"),
        ("is no lock", "format = 1\ntargets = 1"),
        ("is no lock", "format = 1\n[targets]\nort = 1"),
    ],
)
def test_what_is_no_lock_says_how_to_write_one(tmp_path, says, text):
    """With the recipe's name in the command."""
    (tmp_path / "a.lock").write_text(text)

    with pytest.raises(UsageError, match=says) as caught:
        read_lock(tmp_path / "a.lock")
    assert f"trtbuild lock {tmp_path / 'a.yaml'}" in caught.value.hint


@pytest.mark.parametrize(
    ("expected", "changes"),
    [
        ([], {}),
        ([], {"measures": {}, "models": {"fp32": BB}}),
        (["recipe: on: True → nothing"], {"recipe": {**FULL.recipe, "on": None}}),
        (["tools: onnx: 1.0 → 2.0"], {"tools": {"onnx": "2.0"}}),
        ([], {"tools": {"onnx": "not installed"}}),
        ([], {"sources": {"elsewhere/m.onnx": AA}}),
        (["sources: m.onnx: gone", "sources: n.onnx: new"], {"sources": {"n.onnx": BB}}),
    ],
)
def test_what_a_build_rests_on_is_compared(expected, changes):
    """Not what came of it, nor where a file lies, nor what is not installed on one side."""
    recipe = {key: value for key, value in changes.get("recipe", FULL.recipe).items() if value}
    after = FULL.model_copy(update={**changes, "recipe": recipe})

    assert expected == list(list_differing(FULL, after))


def test_a_file_that_changed_shows_both_digests():
    """Short, as elsewhere."""
    (told,) = list_differing(FULL, FULL.model_copy(update={"sources": {"m.onnx": BB}}))

    assert told.startswith("sources: m.onnx: aaaa")
    assert "→ bbbb" in told
