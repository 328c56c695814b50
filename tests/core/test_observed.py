from __future__ import annotations

import os
import shutil

import pytest

from trtbuild.core.digest import digest_of_bytes, digest_of_file
from trtbuild.core.observed import Looker, list_declared, name_place, place_of


@pytest.fixture
def look(tmp_path):
    return Looker(tmp_path, digest=digest_of_file, facts={"numpy": "2.0"}).look


def test_files_count_by_what_they_hold(look, tmp_path):
    """A folder in the place of a file is told from it, and so is nothing."""
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "b").mkdir()

    assert (digest_of_bytes(b"1"), "folder", "absent") == tuple(
        map(look, ("file a", "file b", "file c"))
    )


def test_folders_count_by_the_names_in_them(look, tmp_path):
    """What trtbuild writes beside a recipe, and what Python compiles, is not counted."""
    for name in ("1.png", "recipe.yaml", "recipe.lock", "__pycache__"):
        (tmp_path / name).touch()
    before = look("folder .")
    (tmp_path / "recipe.lock").unlink()
    (tmp_path / "1.png").write_text("other")

    assert before == look("folder .")
    assert before.startswith("2 names (")
    (tmp_path / "2.png").touch()
    assert before != look("folder .")


def test_folders_count_by_what_is_in_them_without_reading_it(look, tmp_path):
    """A folder in the place of a file, or a link: whoever lists names is told that with them."""
    seen = []
    for make in (
        lambda path: path.write_text("1"),
        lambda path: path.mkdir(),
        lambda path: path.symlink_to("nowhere"),
        lambda path: path.symlink_to(tmp_path),
    ):
        shutil.rmtree(tmp_path / "in", ignore_errors=True)
        (tmp_path / "in").mkdir()
        make(tmp_path / "in/x")
        seen.append(look("folder in"))

    assert 4 == len({*seen})


def test_what_may_be_done_with_a_file_counts_where_that_is_asked(look, tmp_path):
    """A mode, and whether it may be run; of what is not there, that."""
    (tmp_path / "a").write_text("1")
    (tmp_path / "a").chmod(0o644)
    assert ("644", "yes", "no", "absent") == tuple(
        map(look, ("mode a", "access r a", "access rx a", "access x b"))
    )


def test_packages_count_by_their_versions(look):
    """As facts have them."""
    assert ("2.0", "not installed") == (look("package numpy"), look("package nompy"))


def test_variables_count_without_being_told(look, monkeypatch):
    """What they hold may be a password: only its digest goes anywhere."""
    monkeypatch.setenv("MY_TOKEN", "secret")

    assert digest_of_bytes(b"secret") == look("environment MY_TOKEN")
    monkeypatch.delenv("MY_TOKEN")
    assert "not set" == look("environment MY_TOKEN")


def test_modules_are_looked_for_where_every_python_looks(look):
    """Not beside the command, nor where it is typed."""
    assert ("installed", "installed", "nothing") == tuple(
        map(look, ("module numpy", "module json", "module nompy"))
    )


def test_what_this_trtbuild_does_not_know_is_no_reason_to_fail(look):
    """A lock of a later one differs, and says so."""
    assert "not known to this trtbuild" == look("planet mars")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/data/project/recipes/a.npz", "a.npz"),
        ("/data/project/models/a.npz", "../models/a.npz"),
        ("/srv/a.npz", "/srv/a.npz"),
        ("/data/project/recipes/b\udcff", "bytes:2f646174612f70726f6a6563742f726563697065732f62ff"),
    ],
)
def test_names_lead_back(path, name):
    """From the recipe's folder, or from the root where the two have nothing in common."""
    base = "/data/project/recipes"

    assert name == name_place(path, base)
    assert path == place_of(name, base)


def test_behind_a_link_the_folder_above_is_another(tmp_path):
    """So such a path stays as it was asked for."""
    (tmp_path / "far/away").mkdir(parents=True)
    (tmp_path / "far/x").touch()
    (tmp_path / "link").symlink_to(tmp_path / "far/away")
    path = f"{tmp_path}/link/../x"

    assert path == name_place(path, str(tmp_path))


def test_a_declared_folder_is_all_that_is_in_it(tmp_path):
    """Files and listings, however deep."""
    (tmp_path / "photos/in").mkdir(parents=True)
    (tmp_path / "photos/in/1.png").touch()

    assert ["folder photos", "folder photos/in", "file photos/in/1.png"] == list_declared(
        "photos", tmp_path
    )


def test_more_of_a_file_may_count_than_what_it_holds(look, tmp_path):
    """Its size, when it was changed, and where it leads if it is a link."""
    (tmp_path / "a").write_bytes(b"123")
    os.utime(tmp_path / "a", ns=(0, 7))
    (tmp_path / "latest").symlink_to("a")

    assert ("3 bytes", "7 ns", "no link") == tuple(map(look, ("size a", "time a", "link a")))
    assert ("-> a", "absent") == tuple(map(look, ("link latest", "link nothing")))


def test_as_what_a_folder_holds_a_module_counts(look, tmp_path):
    """A package of the same name wins over a file, and a file over a folder without `__init__`."""
    (tmp_path / "helper").mkdir()
    assert "helper" == look("beside .: helper other")
    (tmp_path / "helper.py").touch()
    assert "helper.py" == look("beside .: helper other")
    (tmp_path / "helper/__init__.py").touch()
    assert "helper/__init__.py" == look("beside .: helper other")
