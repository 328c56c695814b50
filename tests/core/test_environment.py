from __future__ import annotations

import os

import pytest

from trtbuild.core.environment import withhold_variables


def test_gives_what_every_program_needs_and_what_is_declared(monkeypatch):
    """The rest is withheld, and who asks for it is heard."""
    for name in ("MY_SCALE", "MY_OTHER", "LC_TIME", "OMP_NUM_THREADS"):
        monkeypatch.setenv(name, "1")

    with withhold_variables(("MY_SCALE",)) as asked:
        given = [os.environ.get(name) for name in ("MY_SCALE", "LC_TIME", "OMP_NUM_THREADS")]
        with pytest.raises(KeyError):
            os.environ["MY_OTHER"]
        os.environ.get("NOBODY_HAS_SET_IT")

    assert ["1", "1", "1"] == given
    assert {"MY_OTHER"} == asked


def test_puts_all_back(monkeypatch):
    """What was changed meanwhile included."""
    monkeypatch.setenv("MY_OTHER", "1")
    before = dict(os.environ)

    with withhold_variables(()):
        os.environ["MY_NEW"] = os.environ["HOME"] = "x"

    assert before == dict(os.environ)


def test_what_is_given_counts_where_it_is_asked_for_by_name(monkeypatch):
    """Not where a library asks, or Python to find a folder."""
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    taken = set()

    with withhold_variables((), taken):
        os.path.expanduser("~")  # noqa: PTH111
        assert set() == taken
        os.environ.get("XDG_DATA_HOME"), os.environ["HOME"], os.getenv("LANG")

    assert {"XDG_DATA_HOME", "LANG"} == taken
