"""What this trtbuild is, told from others by its sources: a process and its workers are one."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

import trtbuild
from trtbuild.core.digest import digest_of_bytes, digest_of_tree
from trtbuild.core.options import Options

__all__ = ["Identity", "describe_stranger", "describe_unready", "identify", "read_identity"]

PACKAGE = Path(trtbuild.__file__).parent
ELSEWHERE = 4
"""The exit code: what is needed is not there."""


class Identity(Options):
    """Which trtbuild a process runs."""

    version: str
    sources: str
    """A digest of them."""
    at: str
    """The folder that they lie in, to be told."""


@cache
def identify(package: Path = PACKAGE) -> Identity:
    """Say what the trtbuild in a folder is.

    By the bytes of its sources, not by where they lie: a checkout and what was installed from it
    are one, and two states of a checkout are not.
    """
    files = sorted(package.rglob("*.py"))
    sources = {each.relative_to(package).as_posix(): _digest(each) for each in files}
    return Identity(version=trtbuild.__version__, sources=digest_of_tree(sources), at=str(package))


def _digest(path: Path) -> str:
    return digest_of_bytes(path.read_bytes())


def read_identity(told: object) -> Identity | None:
    """Return what a worker told of itself; None where it is not told as here."""
    try:
        return Identity.model_validate(told)
    except ValidationError:
        return None


def describe_stranger(python: str, found: Identity | None) -> dict[str, Any]:
    """Say that a worker is of another trtbuild; of one that cannot tell which where none is."""
    own = identify()
    what = "one that does not say which it is" if found is None else _name(found)
    return {
        "message": f"its worker is another trtbuild: {what}, and this is {_name(own)}",
        "hint": f"install this one for {python} too, or start the one that is installed there "
        "(`trtbuild`, not `python -m trtbuild` in another checkout)",
        "code": ELSEWHERE,
    }


def describe_unready(python: str, what: str) -> dict[str, Any]:
    """Say that a worker never came so far as to tell which trtbuild it is."""
    return {
        "message": f"the worker process {what} before it was ready",
        "hint": f"its log may say more; `{python} -P -m trtbuild doctor` must run there, "
        f"as trtbuild {trtbuild.__version__}",
        "code": ELSEWHERE,
    }


def _name(it: Identity) -> str:
    return f"{it.version} in {it.at}"
