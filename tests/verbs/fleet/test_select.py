"""Which recipes lie in a folder, and which a change concerns."""

from __future__ import annotations

import subprocess

import pytest

from tests.helpers.projects import tiny_project
from trtbuild.core.errors import MissingFile, UsageError
from trtbuild.verbs.fleet.select import _cut, find_recipes, select_modified

MODIFIED = "state:modified"


def git(folder, *words):
    identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run(["git", "-C", folder, *identity, *words], check=True, capture_output=True)  # noqa: S607


@pytest.fixture
def fleet(tmp_path):
    """A repository of three recipes: one stands on another, one on neither; all committed."""
    recipe = tiny_project(tmp_path / "a")
    recipe.rename(recipe.with_name("one.yaml"))
    (tmp_path / "a/two.yaml").write_text("extends: one.yaml\nname: two\n")
    tiny_project(tmp_path / "b")
    (tmp_path / "b/notes.yaml").write_text("model: nothing to do with it\n")
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "all")
    return tmp_path


def names(paths):
    return [path.name for path in paths]


def selected(fleet):
    return names(select_modified(find_recipes([fleet]), MODIFIED, "main"))


def test_a_folder_stands_for_its_recipes(fleet):
    """Sorted; other YAML is none, a file is itself, and what is named twice counts once."""
    assert ["one.yaml", "two.yaml", "recipe.yaml"] == names(find_recipes([fleet]))
    one = fleet / "a/one.yaml"
    assert ["one.yaml", "two.yaml"] == names(find_recipes([one, fleet / "a"]))


def test_a_folder_without_recipes_is_an_error(tmp_path):
    """Nothing built is not all built."""
    with pytest.raises(MissingFile, match="there is no recipe in it"):
        find_recipes([tmp_path])


def test_nothing_changed_concerns_nothing(fleet):
    """Files that git ignores are no change."""
    assert [] == selected(fleet)


@pytest.mark.parametrize(
    ("path", "concerned"),
    [
        ("a/one.yaml", ["one.yaml", "two.yaml"]),
        ("a/two.yaml", ["two.yaml"]),
        ("a/model.onnx", ["one.yaml", "two.yaml"]),
        ("b/recipe.lock", ["recipe.yaml"]),
        ("b/other.txt", []),
    ],
)
def test_a_change_concerns_what_stands_on_it(fleet, path, concerned):
    """The recipe, what extends it, what they name; committed or not, new or not."""
    with (fleet / path).open("ab") as file:
        file.write(b"\n# more\n")
    assert concerned == selected(fleet)


def test_no_revision_and_no_way_to_select_are_refused(fleet):
    """Each with what to write."""
    recipes = find_recipes([fleet])
    with pytest.raises(UsageError, match="no revision `gone`"):
        select_modified(recipes, MODIFIED, "gone")
    with pytest.raises(UsageError, match="is no revision"):
        select_modified(recipes, MODIFIED, "--output=x")
    with pytest.raises(UsageError) as caught:
        select_modified(recipes, "state:new", "main")
    assert "--select state:modified" == caught.value.hint


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("models/net.py:make", "models/net.py"),
        ("https://host/a.pt", ""),
        ("data/*/a.png", "data"),
        ("data", "data"),
    ],
)
def test_the_path_in_what_is_named(text, path):
    """Of code its file, of a pattern its folder, of a URL nothing."""
    assert path == _cut(text)
