"""What is packed of a recipe that was really built."""

from __future__ import annotations

from pathlib import Path

import pytest

from trtbuild import api
from trtbuild.core.errors import MissingFile, UsageError


@pytest.fixture
def built(project):
    api.apply(project, build_dir="build")
    return project


def test_what_is_not_built_cannot_be_packed(project):
    """The way to build it is named."""
    with pytest.raises(MissingFile, match="is not built there"):
        api.package_triton([project], "to")


def test_versions_stand_beside_each_other_and_nothing_else_is_replaced(built):
    """As Triton has them; what is no model of a repository is somebody's."""
    for version in (1, 2):
        found = api.package_triton([built], "repo", version=version)
    folder = Path("repo") / found.contents[0][0]

    assert ["1", "2"] == sorted(each.name for each in folder.iterdir() if each.name.isdigit())
    (folder / "config.pbtxt").unlink()
    with pytest.raises(UsageError, match="is no model of a repository"):
        api.package_triton([built], "repo")


def test_a_bundle_is_replaced_whole_and_nothing_else_is(built):
    """A folder that is no bundle is somebody's."""
    found = api.package_bundle(built, "b")
    Path("b/old").write_text("")
    api.package_bundle(built, "b")

    files = (each for each in Path("b").rglob("*") if each.is_file())
    assert {name for name, _ in found.contents} == {p.relative_to("b").as_posix() for p in files}
    assert {"model_card.html", "run.py"} <= {name for name, _ in found.contents}
    with pytest.raises(UsageError, match="is there already, and is no bundle"):
        api.package_bundle(built, "build")
