"""Other Pythons that targets are built under: TensorRT 10, 11 and RTX side by side."""

from __future__ import annotations

import json
import os
from pathlib import Path

from trtbuild import __version__
from trtbuild.core.errors import MissingDependency
from trtbuild.core.frozen import frozen
from trtbuild.core.words import quote_whole
from trtbuild.machine.config import ConfiguredPython, read_configured_pythons
from trtbuild.machine.facts import InstalledPackages

__all__ = ["Interpreter", "find_configured_python", "find_interpreter", "name_variable"]

_ASK = "import json, platform, sys; print(json.dumps([platform.python_version(), sys.path]))"
ASK_SECONDS = 30


@frozen
class Interpreter:
    """A Python, and what is installed in it."""

    python: str
    """Empty for the one that runs this."""
    facts: InstalledPackages

    @property
    def hindrance(self) -> str:
        """Say why no step can run under it; nothing where one can."""
        if not self.python:
            return ""  # and its own version is no fact that a plan rests on
        found = self.facts.get("trtbuild")
        if found == __version__:
            return ""
        what = "no trtbuild" if found is None else f"trtbuild {found}"
        return f"{self.python} has {what}, and steps need {__version__} there as here"


def name_variable(kind: str) -> str:
    """Return the environment variable that names the Python of a kind of target."""
    return f"TRTBUILD_PYTHON_{kind.upper()}"


def find_configured_python(kind: str) -> ConfiguredPython | None:
    """Return the Python named for a kind of target, and by what; None where none is.

    The environment wins over the settings, and an empty variable names none. Nothing is run.

    Raises:
        RecipeError: the settings are wrong.
    """
    python = os.environ.get(name_variable(kind), "")
    return (
        ConfiguredPython(python, name_variable(kind))
        if python
        else read_configured_pythons().get(kind)
    )


def find_interpreter(kind: str, here: InstalledPackages | None = None) -> Interpreter:
    """Return the Python that a kind of target is built and run under, be it this one.

    `here` is what is installed in this one; it is looked up where it is not given.

    Raises:
        MissingDependency: what is named is no Python that runs.
        RecipeError: the settings are wrong.
    """
    named = find_configured_python(kind)
    if named is None:
        # Not `here or`: facts that nobody has asked for yet are empty.
        return Interpreter("", InstalledPackages() if here is None else here)
    import subprocess

    try:
        ran = subprocess.run(
            [named.python, "-c", _ASK],
            capture_output=True,
            text=True,
            check=True,
            timeout=ASK_SECONDS,
            cwd=Path("/"),  # else what lies in the working directory would count as installed
        )
        version, paths = json.loads(ran.stdout)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise MissingDependency(
            f"{named.place} names `{named.python}`, which does not run as a Python: "
            f"{quote_whole(str(error))}",
            hint=f"let {named.place} name a Python that has trtbuild and that TensorRT",
        ) from None
    found = InstalledPackages(
        [path for path in paths if path],
        python=version,
        device=0 if here is None else here.device,
    )
    return Interpreter(named.python, found)
