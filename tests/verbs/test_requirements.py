"""Recipes that have locks are found where people keep them."""

from __future__ import annotations

from pathlib import Path

import pytest

from trtbuild.verbs.requirements import find_locked_recipes


@pytest.fixture
def lay(tmp_path):
    """Lay a recipe with its lock into a folder, and a file beside it that says what that is."""

    def laid(folder, mark=""):
        place = tmp_path / folder
        place.mkdir(parents=True, exist_ok=True)
        for name in filter(None, ("a.yaml", "a.lock", mark)):
            (place / name).touch()
        return place / "a.yaml"

    return laid


@pytest.mark.parametrize(
    ("folder", "mark"),
    [
        (".git/x", ""),
        ("web/node_modules/x", ""),
        ("lib/site-packages/x", ""),
        ("environment/share", ""),
        ("build/tiny", ".trtbuild.json"),
        ("kept/objects", ""),
    ],
)
def test_what_tools_keep_is_passed_over(folder, mark, lay, tmp_path, monkeypatch):
    """A lock in a package or in what was built is nobody's here."""
    monkeypatch.setenv("TRTBUILD_STORE", str(tmp_path / "kept"))
    (tmp_path / "environment").mkdir()
    (tmp_path / "environment/pyvenv.cfg").touch()
    own = lay("recipes")
    lay(folder, mark)

    assert (own,) == find_locked_recipes(tmp_path)


def test_a_folder_that_is_named_is_looked_at_whatever_it_is(lay, monkeypatch):
    """And a folder that is only called `build` is like any other."""
    found = (lay("build"), lay("environment/build", "pyvenv.cfg"))
    monkeypatch.chdir(found[1].parent)

    assert (Path("a.yaml"),) == find_locked_recipes(Path())
    assert (found[0],) == find_locked_recipes(found[0].parent)
