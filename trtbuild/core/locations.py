"""Where trtbuild keeps things on this machine; loads nothing, for what must answer at once."""

from __future__ import annotations

import os

__all__ = ["find_config_root", "find_store_root"]

WINDOWS = os.name == "nt"


def find_store_root() -> str:
    """Return `TRTBUILD_STORE`, or trtbuild's folder in the user's cache directory.

    That is `XDG_CACHE_HOME` or `~/.cache`; on Windows, `LOCALAPPDATA`. A URL names no folder: it is
    of the store behind the one in the cache directory.
    """
    chosen = os.environ.get("TRTBUILD_STORE")
    if chosen and "://" not in chosen:
        return os.path.join(os.getcwd(), chosen)  # noqa: PTH109, PTH118  # pathlib takes 5 ms
    cache = os.environ.get("XDG_CACHE_HOME", "") or _home("LOCALAPPDATA", "~/.cache")
    return os.path.join(cache, "trtbuild")  # noqa: PTH118


def find_config_root() -> str:
    """Return trtbuild's folder in the user's directory for settings.

    That is `XDG_CONFIG_HOME` or `~/.config`; on Windows, `APPDATA`.
    """
    home = os.environ.get("XDG_CONFIG_HOME", "")
    if not os.path.isabs(home):  # noqa: PTH117  # then the XDG specification takes it for none
        home = _home("APPDATA", "~/.config")
    return os.path.join(home, "trtbuild")  # noqa: PTH118


def _home(on_windows: str, elsewhere: str) -> str:
    found = os.environ.get(on_windows, "") if WINDOWS else ""
    return found or os.path.expanduser(elsewhere)  # noqa: PTH111
