"""A rebuild from the sources, held to what was guaranteed."""

from __future__ import annotations

import tempfile

import pytest

from tests.helpers.projects import edit
from trtbuild.core.errors import LockMismatch, UsageError
from trtbuild.plan.lock import find_lock, read_lock, write_lock
from trtbuild.recipe.load import load_recipe
from trtbuild.run.executor import QuietListener
from trtbuild.run.inline import Inline
from trtbuild.verbs.lock import lock_built
from trtbuild.verbs.verify import verify_build


@pytest.fixture
def verify(store, tmp_path, monkeypatch):
    """Verify a recipe; nothing may be left of it."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))

    def verified(recipe, targets=()):
        loaded = load_recipe(recipe)
        try:
            return verify_build(loaded, store, Inline(), targets=targets, listener=QuietListener())
        finally:
            assert [] == list(scratch.iterdir())

    return verified


def lock(recipe, store, **changes):
    found = lock_built(load_recipe(recipe), store, Inline())
    write_lock(find_lock(recipe), found.model_copy(update=changes))
    return found


def test_a_rebuild_gives_the_same(tiny, apply, verify):
    """Without a lock it is held to the last build; every model and target has its line."""
    apply(tiny)

    found = verify(tiny)

    assert ("tiny", "last build", True) == (found.recipe, found.against, found.holds)
    assert ["model.fp32.onnx", "model.int8.onnx", "ort"] == [each.what for each in found.checks]
    assert {"the same bytes"} == {each.found for each in found.checks}
    assert "metrics" not in {each.what for each in found.checks}


def test_what_is_not_as_guaranteed_is_named(tiny, apply, verify, store):
    """And all else is told still."""
    apply(tiny)
    built = lock(tiny, store)
    target = built.targets["ort"].model_copy(update={"delivered_int8": 0})
    lock(
        tiny,
        store,
        models={**built.models, "int8": "sha256:" + "ab" * 32},
        targets={"ort": target},
    )

    found = verify(tiny)
    holds = {each.what: each.holds for each in found.checks}

    assert ("lock", False) == (found.against, found.holds)
    assert {"model.fp32.onnx": True, "model.int8.onnx": False, "ort": False} == holds
    assert "delivered_int8: 0 → 1" == found.checks[-1].found


def test_what_was_never_locked_is_not_compared(tiny, apply, verify, store):
    """It neither holds nor fails."""
    apply(tiny)
    lock(tiny, store, targets={})

    found = verify(tiny)

    assert found.holds
    assert (None, "not compared: lock it anew") == (
        found.checks[-1].holds,
        found.checks[-1].found,
    )


def test_a_recipe_that_is_not_the_locks_is_not_rebuilt(tiny, apply, verify, store):
    """Nothing is compared with something else."""
    apply(tiny)
    lock(tiny, store)
    edit(tiny, "x: 1.0", "x: 2.0")

    with pytest.raises(LockMismatch, match="does not hold"):
        verify(tiny)
    assert 1.0 == read_lock(find_lock(tiny)).recipe["quantization.ranges.x"]


def test_what_was_never_built_cannot_be_verified(tiny, verify):
    """It says what to do first."""
    with pytest.raises(UsageError, match="is not built as it stands"):
        verify(tiny)
