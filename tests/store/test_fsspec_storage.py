"""Storages by URL: what is not there is said; times as libraries tell them. See test_storage."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from trtbuild.core.errors import MissingDependency, UsageError
from trtbuild.store.fsspec_storage import _read_time, open_fsspec

pytest.importorskip("fsspec")


def test_a_library_that_is_lacking_is_named(monkeypatch):
    """With what installs it."""
    monkeypatch.setitem(__import__("sys").modules, "s3fs", None)
    with pytest.raises(MissingDependency) as caught:
        open_fsspec("s3://bucket/store")

    assert "pip install 's3fs'" == caught.value.hint


def test_a_scheme_that_nobody_knows_is_refused():
    """With those there are."""
    with pytest.raises(UsageError, match="no storage of that sort"):
        open_fsspec("floppy://a/store")


@pytest.mark.parametrize(
    "told",
    [
        {"LastModified": datetime(1970, 1, 1, 0, 1, tzinfo=UTC)},
        {"mtime": 60},
        {"updated": "1970-01-01T00:01:00+00:00"},
        {"created": "never", "mtime": 60.0},
    ],
)
def test_a_time_is_read_as_each_library_tells_it(told):
    """In seconds; S3, SFTP and Google say it in their ways."""
    assert 60.0 == _read_time(told)


def test_no_time_is_none():
    """Nothing is made up."""
    assert _read_time({"size": 1}) is None
