"""Two trtbuilds are one where their sources are equal, wherever they lie."""

from __future__ import annotations

import pytest

from trtbuild.run.identity import identify


@pytest.fixture
def package(tmp_path):
    """Make a package of two modules in a folder of its own."""

    def made(name, inner="x = 1\n"):
        folder = tmp_path / name
        (folder / "room").mkdir(parents=True)
        (folder / "__init__.py").write_text("")
        (folder / "room/part.py").write_text(inner)
        return folder

    return made


def test_equal_sources_are_one(package):
    """A checkout, and what was installed from it: where they lie is only told."""
    one, other = identify(package("one")), identify(package("other"))

    assert one.sources == other.sources
    assert one.at != other.at


def test_other_sources_are_another(package):
    """Another byte, another name: the version need not have moved."""
    renamed = package("renamed")
    (renamed / "room/part.py").rename(renamed / "room/piece.py")
    found = [identify(each) for each in (package("one"), package("two", "x = 2\n"), renamed)]

    assert 3 == len({each.sources for each in found})
    assert 1 == len({each.version for each in found})
