"""Recipes at two revisions, as git has them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.helpers.projects import edit, tiny_project
from trtbuild.core.errors import UsageError
from trtbuild.verbs.revisions import (
    Revisions,
    check_out_revisions,
    find_changed_recipes,
    find_git_path,
)

RECIPE = "version: 1\nname: a\nmodel: {kind: onnx, path: m}\ntargets: {}\n"


def git(*arguments):
    names = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run(["git", *names, *arguments], check=True, capture_output=True)  # noqa: S607


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A recipe on main; on a branch it is renamed and edited, while main moves on as well."""
    recipe = tiny_project(tmp_path / "top")
    monkeypatch.chdir(recipe.parent)
    git("init", "-q", "-b", "main")
    git("add", "-A")
    git("commit", "-q", "-m", "one")
    git("checkout", "-q", "-b", "topic")
    git("mv", "recipe.yaml", "renamed.yaml")
    edit(Path("renamed.yaml"), "x: 1.0", "x: 2.0")
    git("commit", "-q", "-a", "-m", "two")
    git("checkout", "-q", "main")
    Path("later.yaml").write_text(RECIPE)
    git("add", "-A")
    git("commit", "-q", "-m", "three")
    return recipe.parent


def test_three_dots_compare_with_where_they_parted(repository):
    """What came to main since then is no difference of the branch; with two dots it is."""
    with check_out_revisions("main...topic", folder=repository) as found:
        assert [(Path("recipe.yaml"), Path("renamed.yaml"))] == find_changed_recipes(found)
        assert "x: 1.0" in (found.before / "recipe.yaml").read_text()
        assert "x: 2.0" in (found.after / "renamed.yaml").read_text()
        place = found.before
    assert not place.exists()

    with check_out_revisions("main..topic", folder=repository) as found:
        assert Path("later.yaml") in {before for before, _ in find_changed_recipes(found)}


def test_a_revision_that_is_left_out_is_where_we_are(repository):
    """As git has it."""
    with check_out_revisions("topic..", folder=repository) as found:
        assert (found.before / "renamed.yaml").is_file()
        assert (found.after / "later.yaml").is_file()


@pytest.mark.parametrize("between", ["main", "--output=x..y", "main..--exec=x"])
def test_what_is_no_pair_of_revisions_says_how_to_write_one(tmp_path, between):
    """And is not handed to git, which might take it for an option."""
    with (
        pytest.raises(UsageError, match="is not two revisions") as caught,
        check_out_revisions(between, folder=tmp_path),
    ):
        pass
    assert "main...HEAD" in caught.value.hint


def test_a_revision_that_git_does_not_know_is_named(repository):
    """With how a CI job gets it, as also where two sides have nothing in common."""
    git("checkout", "-q", "--orphan", "apart")
    git("commit", "-q", "-m", "apart")

    for between, said in (("main..nowhere", "`nowhere`"), ("main...apart", "both sides")):
        with (
            pytest.raises(UsageError, match=said) as caught,
            check_out_revisions(between, folder=repository),
        ):
            pass
        assert "fetch-depth: 0" in caught.value.hint


def test_a_folder_that_is_no_repository_is_said_in_gits_words(tmp_path):
    """In one line."""
    with (
        pytest.raises(UsageError, match=r"git: .*not a git repository"),
        check_out_revisions("main..topic", folder=tmp_path),
    ):
        pass


def test_a_recipe_is_known_by_its_sections(tmp_path):
    """Even one that is wrong; other YAML, and folders, are none."""
    for side in ("before", "after"):
        (tmp_path / side / "folder.yaml").mkdir(parents=True)
        (tmp_path / side / "other.yaml").write_text("model: x\nversion: 2\n")
    (tmp_path / "before/old.yml").write_text(RECIPE)
    (tmp_path / "after/new.yaml").write_text(RECIPE + "nonsense: [")
    found = Revisions(tmp_path / "before", tmp_path / "after", renamed={})

    assert [(Path("new.yaml"),) * 2, (Path("old.yml"),) * 2] == find_changed_recipes(found)


def test_a_variant_is_a_recipe_as_well(tmp_path):
    """Which extends one that lies beside it; what other tools extend is none."""
    for name, text in (
        ("base", RECIPE),
        ("one", "extends: base.yaml # as it is\nname: one\n"),
        ("two", "extends: 'one.yaml'\nname: two\n"),
        ("lint", "extends: recommended\n"),
        ("self", "extends: self.yaml\n"),
    ):
        (tmp_path / f"{name}.yaml").write_text(text)
    found = Revisions(tmp_path, tmp_path, renamed={})

    names = ["base.yaml", "one.yaml", "two.yaml"]
    assert names == [after.name for _, after in find_changed_recipes(found)]


def test_a_renamed_file_is_found_by_either_name(tmp_path):
    """Where the old one was there before; another has one name on both sides."""
    old, new = Path("old.yaml"), Path("new.yaml")
    (tmp_path / old).touch()
    found = Revisions(tmp_path, tmp_path, renamed={old: new})

    assert (old, new) == found.pair(old) == found.pair(new)
    assert (Path("x"), Path("x")) == found.pair(Path("x"))


def test_git_s_path_starts_at_the_top(repository, monkeypatch):
    """From wherever it is typed."""
    (repository / "inner").mkdir()
    monkeypatch.chdir(repository / "inner")

    assert Path("inner/a.yaml") == find_git_path(Path("a.yaml"))
    assert Path("recipe.yaml") == find_git_path(Path("../recipe.yaml"))
