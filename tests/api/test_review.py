"""What a change means, from Python."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.helpers.projects import edit
from trtbuild import api
from trtbuild.core.errors import LockMismatch, MissingFile, UsageError
from trtbuild.store.maintenance import collect_garbage


@pytest.fixture
def built(project):
    api.apply(project, build_dir="build")
    return project


def test_a_build_is_locked_once(built):
    """Writing the same again changes nothing; what it names is kept in the store."""
    path, changed, lock = api.lock(built)

    assert (Path("recipe.lock"), True) == (path, changed)
    assert (path, False, lock) == api.lock(built)
    edit(Path(built), "x: 1.0", "x: 2.0")
    api.apply(built, build_dir="build")
    collect_garbage(api.open_store(), runs=1)
    assert all(api.open_store().object_path(digest).is_file() for digest in lock.models.values())


def test_a_recipe_is_held_to_its_lock(built):
    """Nothing is built for it; without a lock there is nothing to hold it to."""
    with pytest.raises(MissingFile, match=r"recipe\.lock"):
        api.check_lock(built)
    api.lock(built)

    path, remarks = api.check_lock(built)
    assert (Path("recipe.lock"), "files that were placed are not checked") == (path, remarks[-1])
    edit(Path(built), "x: 1.0", "x: 2.0")
    with pytest.raises(LockMismatch):
        api.check_lock(built)


def test_what_was_not_compared_has_no_failed_gates(built):
    """No gate was judged."""
    assert () == api.list_failed_gates(built)


def test_what_a_lock_says_is_read_without_a_build(built):
    """Which tools it asks for, and which of its gates did not pass."""
    api.lock(built)

    assert (Path("recipe.yaml"),) == api.find_locked_recipes(".")
    assert () == api.list_locked_failures(built)
    assert {"onnx", "onnxruntime"} <= {x.split("==")[0] for x in api.list_requirements([built])}
    with pytest.raises(UsageError, match="has no target `x`"):
        api.list_requirements([built], target="x")


def test_two_locks_that_ask_for_two_versions_have_no_requirements(built):
    """No file could have both."""
    api.lock(built)
    edit(Path("recipe.lock"), "[tools]\n", '[tools]\na = "1"\n')
    shutil.copy("recipe.lock", "other.lock")
    assert "a==1" in api.list_requirements(["recipe.yaml", "other.yaml"])
    edit(Path("other.lock"), 'a = "1"', 'a = "2"')

    with pytest.raises(UsageError, match=r"asks for a==1, other\.lock for a==2"):
        api.list_requirements(["recipe.yaml", "other.yaml"])


def test_a_recipe_differs_from_its_lock_in_what_it_means(built):
    """Not in comments."""
    api.lock(built)
    edit(Path(built), "name: tiny\n", "name: tiny  # ours\n")
    assert not api.diff(built, "recipe.lock").differ

    edit(Path(built), "x: 1.0", "x: 2.0")
    (change,) = api.diff("recipe.lock", built).recipe

    assert ("quantization.ranges.x", 1.0, 2.0, 1.0) == (
        change.what,
        change.before,
        change.after,
        change.bits,
    )


def test_revisions_are_two(built):
    """And asked of git only then."""
    with pytest.raises(UsageError, match="is not two revisions"):
        api.diff_git("main")


def test_a_rebuild_is_held_to_the_lock(built):
    """In a store and a folder of its own."""
    api.lock(built)
    times = {path: path.stat().st_mtime_ns for path in Path("build").rglob("*")}

    found = api.verify(built)

    assert ("lock", True) == (found.against, found.holds)
    assert times == {path: path.stat().st_mtime_ns for path in Path("build").rglob("*")}
