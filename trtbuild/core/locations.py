"""Where trtbuild keeps things on this machine; loads nothing, for what must answer at once."""

from __future__ import annotations

import os

__all__ = ["find_store_root"]


def find_store_root() -> str:
    """Return `TRTBUILD_STORE`, or trtbuild's folder in the user's cache directory."""
    chosen = os.environ.get("TRTBUILD_STORE")
    if chosen:
        return os.path.join(os.getcwd(), chosen)  # noqa: PTH109, PTH118  # pathlib takes 5 ms
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111
    return os.path.join(cache, "trtbuild")  # noqa: PTH118
