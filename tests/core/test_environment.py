from __future__ import annotations

import ctypes
import os
import time

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


@pytest.fixture
def zone(monkeypatch):
    """Live three hours east of Greenwich until the test ends."""
    monkeypatch.setenv("TZ", "UTC-3")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def asked_in_c(name):
    libc = ctypes.CDLL(None)
    libc.getenv.restype = ctypes.c_char_p
    return libc.getenv(name.encode())


@pytest.mark.skipif(os.name == "nt", reason="Windows has two environments of C")
def test_what_nobody_hears_of_is_not_given_to_libraries_of_c(monkeypatch):
    """Python still says where the home is, since it is heard; what is declared is everybody's."""
    for name in ("HOME", "LC_TIME", "XDG_DATA_HOME", "PATH"):
        monkeypatch.setenv(name, "/x")

    with withhold_variables(("LC_TIME",)):
        seen = [asked_in_c(name) for name in ("HOME", "XDG_DATA_HOME", "LC_TIME", "PATH")]
        assert "/x" == os.environ["HOME"]

    assert [None, None, b"/x", b"/x"] == seen
    assert b"/x" == asked_in_c("HOME")


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="Windows has one time zone")
@pytest.mark.parametrize(("hour", "declared"), [(0, ()), (3, ("TZ",))])
def test_it_is_the_same_time_everywhere(hour, declared, zone):
    """Whoever declares the time zone is given it, and all is as before afterwards."""
    with withhold_variables(declared):
        assert hour == time.localtime(0).tm_hour

    assert 3 == time.localtime(0).tm_hour


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="Windows has one time zone")
def test_a_time_zone_that_nobody_has_set_stays_unset(monkeypatch):
    """The machine's own is back when the code has ended."""
    monkeypatch.delenv("TZ", raising=False)

    with withhold_variables(()):
        assert b"UTC" == asked_in_c("TZ")

    assert asked_in_c("TZ") is None
