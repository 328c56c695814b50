"""trtbuild store, as its user meets it."""

from __future__ import annotations

import pytest

from trtbuild import api

pytestmark = pytest.mark.usefixtures("steps_here")


@pytest.fixture
def built(tiny):
    """A project of one layer, built; returns the store."""
    api.apply(tiny, build_dir="build")
    return api.open_store()


def test_steps_are_listed_with_their_recipe(built, trtbuild):
    """Size and digest beside them; what has lost a result will run again."""
    whole = trtbuild("store", "ls").out.splitlines()
    for artifact in built.action(built.history("tiny")["quantize"]).artifacts:
        built.object_path(artifact.digest).unlink(missing_ok=True)
    damaged = trtbuild("store", "ls").out

    assert ["recipe", "step", "digest", "size"] == whole[0].split()
    assert len(built.history("tiny")) == len([line for line in whole if "tiny" in line])
    assert not any("incomplete" in line for line in whole)
    (line,) = [line for line in damaged.splitlines() if " quantize " in line]
    assert line.endswith("incomplete: it runs again")


def test_usage_says_where_and_for_what(built, trtbuild):
    """By recipe, and in all."""
    answer = trtbuild("store", "du")

    assert 0 == answer.code
    assert ["tiny", "in", "work", "records", "stamps", "total", "in"] == [
        line.split()[0] for line in answer.out.splitlines()
    ]
    assert answer.out.endswith(f"in {built.root}\n")


def test_a_whole_store_is_exit_code_0_and_a_damaged_one_is_not(built, trtbuild):
    """What is damaged is named, and gone: the next look finds all that is left whole."""
    (digest, *_) = [a.digest for a in built.action(built.history("tiny")["quantize"]).artifacts]
    path = built.object_path(digest)

    assert 0 == trtbuild("store", "verify").code
    path.chmod(0o644)
    path.write_bytes(b"x" * path.stat().st_size)
    answer = trtbuild("store", "verify")

    assert 0 != answer.code
    assert digest in answer.out + answer.err
    assert not path.exists()
    assert 0 == trtbuild("store", "verify").code


def test_garbage_is_told_before_it_is_removed(built, trtbuild):
    """With `--dry-run`, it stays; what the last run stands on stays always."""
    (built.root / "stray").write_text("stray")
    stray = built.add(built.root / "stray", "stray", move=True)

    told = trtbuild("store", "gc", "--dry-run").out
    assert told.startswith("would remove 1 object of 0 steps, 5 B; ")
    assert built.has(stray)
    assert told.replace("would remove", "removed") == trtbuild("store", "gc").out
    assert not built.has(stray)
    assert 2 == trtbuild("store", "gc", "--keep", "0").code
