"""Libraries that only some data needs: loaded where it is read, named where they are missing."""

from __future__ import annotations

import importlib
from typing import Any

from trtbuild.core.errors import MissingDependency

__all__ = ["load_extra"]


def load_extra(module: str, extra: str) -> Any:
    """Return a module that the extra `trtbuild[<extra>]` brings.

    Raises:
        MissingDependency: it is not installed, or what it loads itself cannot be loaded.
    """
    try:
        return importlib.import_module(module)
    except (ImportError, OSError) as error:  # soundfile says so of its library in C
        missing = isinstance(error, ModuleNotFoundError) and error.name == module.partition(".")[0]
        told = "is not installed" if missing else f"cannot be loaded: {error}"
        raise MissingDependency(
            f"`{module.partition('.')[0]}` {told}", hint=f"pip install 'trtbuild[{extra}]'"
        ) from None
