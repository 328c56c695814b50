"""Where the store is."""

from __future__ import annotations

from trtbuild.core import locations
from trtbuild.core.locations import find_config_root, find_store_root


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


def test_settings_lie_in_the_user_s_directory_for_them(monkeypatch):
    """A relative XDG_CONFIG_HOME is to be ignored, says its specification."""
    monkeypatch.setenv("HOME", "/home/me")
    for xdg, root in {"/conf": "/conf", "conf": "/home/me/.config", "": "/home/me/.config"}.items():
        monkeypatch.setenv("XDG_CONFIG_HOME", xdg)

        assert f"{root}/trtbuild" == find_config_root()


def test_windows_has_directories_of_its_own(monkeypatch):
    """Which elsewhere mean nothing."""
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("LOCALAPPDATA", "/local")
    monkeypatch.setenv("APPDATA", "/roaming")
    for name in ("TRTBUILD_STORE", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert ("/home/me/.cache/trtbuild", "/home/me/.config/trtbuild") == (
        find_store_root(),
        find_config_root(),
    )

    monkeypatch.setattr(locations, "WINDOWS", True)

    assert ("/local/trtbuild", "/roaming/trtbuild") == (find_store_root(), find_config_root())
