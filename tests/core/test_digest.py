"""The canonical form, and digests of files."""

from __future__ import annotations

import json
import os
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trtbuild.core import digest
from trtbuild.core.digest import (
    FileDigests,
    digest_of_bytes,
    digest_of_file,
    digest_of_tree,
    seal,
    write_canonical_json,
)
from trtbuild.core.errors import MissingFile

LONG_AGO = 1_000_000_000

trees = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), trees, max_size=4))
def test_key_order_is_no_ingredient(tree):
    """Two dicts that are equal have one digest."""
    turned = dict(reversed(tree.items()))

    assert digest_of_tree(tree) == digest_of_tree(turned)


def test_a_nan_has_no_canonical_form():
    """It would not be equal to itself."""
    with pytest.raises(ValueError, match="JSON compliant"):
        write_canonical_json({"x": float("nan")})


def test_the_digest_of_a_file_is_its_sha256(tmp_path):
    """The empty file's is known to everybody."""
    (tmp_path / "empty").touch()

    expected = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert expected == digest_of_file(tmp_path / "empty")


@pytest.mark.parametrize(("make", "says"), [("nothing", "no such file"), ("dir", "a directory")])
def test_what_is_no_file_is_said_to_be(tmp_path, make, says):
    """A missing file and a directory are told apart."""
    if make == "dir":
        (tmp_path / "x").mkdir()

    with pytest.raises(MissingFile, match=says):
        digest_of_file(tmp_path / "x")


def aged(path, text):
    path.write_text(text)
    os.utime(path, (LONG_AGO, LONG_AGO))
    return path


def test_a_changed_file_is_read_again(tmp_path):
    """Even when size and modification time stay as they were."""
    digests = FileDigests(tmp_path / "memory")
    before = digests.digest(aged(tmp_path / "x", "one"))

    assert before != digests.digest(aged(tmp_path / "x", "two"))


def test_a_fresh_file_is_not_remembered(tmp_path, monkeypatch):
    """A second change within the clock's granularity would go unseen."""
    path = tmp_path / "x"
    path.write_text("one")
    digests = FileDigests(tmp_path / "memory")
    digests.digest(path)
    digests.save()

    assert not (tmp_path / "memory").exists()


def test_a_broken_memory_costs_time_and_nothing_else(tmp_path):
    """What cannot be read is forgotten."""
    (tmp_path / "memory").write_text("{torn")

    assert digest_of_file(aged(tmp_path / "x", "one")) == FileDigests(tmp_path / "memory").digest(
        tmp_path / "x"
    )


def test_a_file_that_settles_while_it_is_read_is_not_remembered(tmp_path, monkeypatch):
    """It may have changed twice within the clock's granularity before it was."""
    path = tmp_path / "x"
    path.write_text("one")
    begin = time.time()
    monkeypatch.setattr(digest, "digest_of_file", lambda _: later(monkeypatch, begin) or "sha256:a")
    digests = FileDigests(tmp_path / "memory")

    digests.digest(path)
    digests.save()

    assert not (tmp_path / "memory").exists()


def later(monkeypatch, begin):
    monkeypatch.setattr(time, "time", lambda: begin + 60)


def test_a_file_is_remembered_by_where_it_really_is(tmp_path):
    """Whether it is reached along a link to its folder, a link to it, or from above."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "elsewhere").symlink_to("folder")
    path = aged(tmp_path / "folder/x", "one")
    (tmp_path / "folder/link").symlink_to("x")
    digests = FileDigests()
    ways = [path, *(tmp_path / way for way in ("elsewhere/x", "folder/link", "folder/../folder/x"))]

    assert {digest_of_file(path)} == {digests.digest(way) for way in ways}
    assert {str(path.resolve())} == {digests._real(str(way)) for way in ways}


@pytest.mark.parametrize("digest", ["7", 7, None, "sha256:zz", {"a": 1}])
def test_a_memory_that_holds_no_digests_is_none(digest, tmp_path):
    """A right seal says that it is whole, not that trtbuild wrote it."""
    path = aged(tmp_path / "a", "1")
    seen = path.stat()
    stamp = [seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino, seen.st_dev]
    (tmp_path / "memory").write_bytes(seal(json.dumps({str(path): [*stamp, digest]})))

    assert digest_of_bytes(b"1") == FileDigests(tmp_path / "memory").digest(path)
