"""Where the store is."""

from __future__ import annotations

from trtbuild.core.locations import find_store_root


def test_the_store_lies_where_the_environment_says(monkeypatch, tmp_path):
    """TRTBUILD_STORE wins, then the user's cache directory; what is relative relates to here."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRTBUILD_STORE", "there")
    monkeypatch.setenv("XDG_CACHE_HOME", "/cache")
    monkeypatch.setenv("HOME", "/home/me")
    assert str(tmp_path / "there") == find_store_root()

    monkeypatch.setenv("TRTBUILD_STORE", "")
    assert "/cache/trtbuild" == find_store_root()

    monkeypatch.delenv("XDG_CACHE_HOME")
    assert "/home/me/.cache/trtbuild" == find_store_root()
