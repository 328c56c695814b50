"""Other Pythons that targets are built under: TensorRT 10, 11 and RTX side by side."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from trtbuild import __version__
from trtbuild.core.errors import MissingDependency
from trtbuild.run.facts import Installed

__all__ = ["Interpreter", "interpreter_for", "variable"]

_ASK = "import json, platform, sys; print(json.dumps([platform.python_version(), sys.path]))"
ASK_SECONDS = 30


@dataclass(frozen=True)
class Interpreter:
    """A Python, and what is installed in it."""

    python: str
    facts: Installed

    @property
    def hindrance(self) -> str:
        """Say why no step can run under it; nothing where one can."""
        found = self.facts.get("trtbuild")
        if found == __version__:
            return ""
        what = "no trtbuild" if found is None else f"trtbuild {found}"
        return f"{self.python} has {what}, and steps need {__version__} there as here"


def variable(kind: str) -> str:
    """Return the environment variable that names the Python of a kind of target."""
    return f"TRTBUILD_PYTHON_{kind.upper()}"


def interpreter_for(kind: str) -> Interpreter | None:
    """Return the Python that a kind of target is built under; None for this one.

    Raises:
        MissingDependency: what the environment names is no Python that runs.
    """
    python = os.environ.get(variable(kind), "")
    if not python:
        return None
    try:
        ran = subprocess.run(
            [python, "-c", _ASK],
            capture_output=True,
            text=True,
            check=True,
            timeout=ASK_SECONDS,
            cwd=Path("/"),  # else what lies in the working directory would count as installed
        )
        version, paths = json.loads(ran.stdout)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise MissingDependency(
            f"{variable(kind)} names `{python}`, which does not run as a Python: {error}",
            hint=f"set {variable(kind)} to the path of a Python that has trtbuild and the TensorRT",
        ) from None
    return Interpreter(python, Installed([path for path in paths if path], python=version))
