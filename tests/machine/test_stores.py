"""Which store a user has named, and what stands behind it."""

from __future__ import annotations

import errno
import fcntl
from pathlib import Path

import pytest

from trtbuild.core.errors import UsageError
from trtbuild.core.watch import Watch
from trtbuild.machine.stores import MOUNTS, find_remote, open_store
from trtbuild.store.leased import LeasedStore
from trtbuild.store.shared import SharedStore
from trtbuild.store.store import Store


@pytest.fixture(autouse=True)
def settings(monkeypatch, tmp_path):
    """A file of settings, and a store, of the test's own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("TRTBUILD_STORE", str(tmp_path / "store"))
    file = tmp_path / "trtbuild/config.yaml"
    file.parent.mkdir()
    return file


def test_without_a_word_it_is_a_store_of_this_machine():
    """No thread, no lease."""
    assert Store is type(open_store())


def test_the_settings_name_a_remote_store(settings, tmp_path):
    """Read from alone, if they say so."""
    settings.write_text(f"remote: {{url: {tmp_path}/remote, write: false}}\n")

    store = open_store()
    assert isinstance(store, SharedStore)
    assert (f"{tmp_path}/remote", False) == (store.remote.storage.name, store.remote.writes)


def test_the_environment_wins(settings, monkeypatch):
    """Both of them."""
    settings.write_text("remote: {url: /there, write: false}\n")
    monkeypatch.setenv("TRTBUILD_STORE_REMOTE", "/here")
    monkeypatch.setenv("TRTBUILD_STORE_REMOTE_WRITE", "no")

    found = find_remote()
    assert ("/here", False) == (found.url, found.write)


def test_a_url_for_a_store_is_the_remote_one_behind_the_usual(monkeypatch, tmp_path):
    """What is built must lie somewhere here."""
    monkeypatch.setenv("TRTBUILD_STORE", f"file://{tmp_path}/far")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    store = open_store()
    assert (tmp_path / "cache/trtbuild", f"{tmp_path}/far") == (
        store.root, store.remote.storage.name,
    )  # fmt: skip


@pytest.mark.parametrize(("kind", "made"), [("nfs4", LeasedStore), ("ext4", Store)])
def test_a_folder_that_other_machines_reach_has_leases(monkeypatch, tmp_path, kind, made):
    """By the sort of its file system: locks may end at the machine's border."""
    mounts = f"/dev/a / ext4 rw 0 0\nhost:/x {tmp_path} {kind} rw 0 0\n"
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: mounts)

    assert made is type(open_store())


def test_what_is_neither_yes_nor_no_is_refused(monkeypatch):
    """With what to write."""
    monkeypatch.setenv("TRTBUILD_STORE_SHARED", "maybe")
    with pytest.raises(UsageError) as caught:
        open_store()

    assert "TRTBUILD_STORE_SHARED=1, or TRTBUILD_STORE_SHARED=0" == caught.value.hint


def test_leases_are_taken_beside_the_locks(monkeypatch, tmp_path):
    """Who cannot see the locks does not get the step either; nothing of it is left."""
    monkeypatch.setenv("TRTBUILD_STORE_SHARED", "1")
    one = open_store()
    one.prepare()
    claim = one.claim(f"sha256:{'a' * 64}")
    two = open_store()
    assert two._leases.claim("a" * 64) is None
    claim.close()
    assert [] == list((tmp_path / "store").glob("leases/*/*"))


def test_leases_do_without_locks(monkeypatch, tmp_path):
    """As on NFS that has none: nothing is asked of whoever builds, and one alone has a step."""

    def refuse(handle, how):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    monkeypatch.setenv("TRTBUILD_STORE_SHARED", "1")
    one, two = open_store(), open_store()
    with one.using(), two.using():
        claims = [each.claim(f"sha256:{'a' * 64}") for each in (one, two)]

    assert [True, False, ""] == [*map(bool, claims), one.remark]
    claims[0].close()


def test_where_things_are_mounted_is_no_part_of_an_answer():
    """It looks just changed whenever it is asked: no answer could be given again."""
    with Watch() as watch:
        open_store()

    assert MOUNTS not in watch.looks
