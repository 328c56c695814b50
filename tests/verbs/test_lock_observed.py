from __future__ import annotations

from tests.helpers.plans import plan_with
from trtbuild.core.digest import digest_of_file
from trtbuild.core.observed import Looker
from trtbuild.verbs.lock_observed import look_at_observed


def look(locked, base):
    looker = Looker(base, digest=digest_of_file, facts={})
    return look_at_observed(locked, plan_with(), looker, base)


def test_what_code_read_is_told_again(tmp_path):
    """From the lock alone: no store need have seen the code run."""
    (tmp_path / "a").touch()
    line = "import_model: path a"

    assert ({line: "file"}, {line: "file"}, ()) == look({line: "file"}, tmp_path)
    (tmp_path / "a").unlink()
    assert ({line: "file"}, {line: "absent"}, ()) == look({line: "file"}, tmp_path)


def test_a_package_that_is_not_here_is_said_and_not_compared(tmp_path):
    """As with the tools of a lock."""
    then, now, remarks = look({"import_model: package numpy": "2.0"}, tmp_path)

    assert ({}, {}) == (then, now)
    assert ("package numpy, which import_model read, is not here: it is not checked",) == remarks


def test_an_installed_module_that_is_not_here_goes_with_its_package(tmp_path):
    """A hook has an environment of its own; a module that lay in a folder is held to it."""
    lines = {"m: module no_such": "installed", "m: package no-such": "2.0"}

    then, now, remarks = look(lines, tmp_path)

    assert ({}, {}) == (then, now)
    told = "module no_such, package no-such, which m read, are not here: they are not checked"
    assert (told,) == remarks
    own = {"m: module no_such": "no_such.py"}
    assert (own, {"m: module no_such": "nothing"}, ()) == look(own, tmp_path)
