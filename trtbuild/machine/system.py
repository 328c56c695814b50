"""Which operating system this is, as far as that matters: most of trtbuild asks nothing of it."""

from __future__ import annotations

import os
import platform

from trtbuild.core.errors import WrongSystem

__all__ = ["demand_linux"]


def demand_linux(what: str) -> None:
    """Demand a system that engines are built on; macOS passes, for what libraries there are.

    Raises:
        WrongSystem: this is none, but Windows, say.
    """
    if not hasattr(os, "fork"):
        raise WrongSystem(
            f"{what} needs Linux, and this is {platform.system() or 'another system'}",
            hint="on Windows, its Subsystem for Linux will do; validate, plan, check, diff and "
            "ranges work here",
        )
