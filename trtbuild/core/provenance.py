"""Whose a file is: Python's own, an installed distribution's, the system's, or the user's."""

from __future__ import annotations

import os
import re
import sys
import sysconfig
from functools import cache
from pathlib import Path

__all__ = [
    "INSTALLED",
    "find_distribution",
    "is_installed",
    "is_of_the_system",
    "is_ours",
    "is_standard",
    "list_import_roots",
]

INSTALLED = frozenset({"site-packages", "dist-packages"})
SYSTEM = (
    "/proc/", "/sys/", "/dev/", "/run/", "/etc/", "/bin/", "/sbin/", "/lib/", "/lib64/",
    "/usr/bin/", "/usr/lib/", "/usr/lib64/", "/usr/share/", "/usr/local/cuda", "/usr/local/nvidia",
)  # fmt: skip
"""What belongs to the machine, as its kernel and its libraries do."""
OF_USERS = ("/dev/shm/", "/run/media/", "/run/user/")  # noqa: S108  # nothing is made there
"""What lies there all the same, and is data like any other."""
OURS = str(Path(__file__).resolve().parents[1])
_METADATA = (".dist-info", ".egg-info")


def is_installed(path: str) -> bool:
    """Tell whether a file lies where distributions are installed."""
    return not INSTALLED.isdisjoint(path.split(os.sep))  # noqa: PTH206  # no path is made


def is_standard(path: str) -> bool:
    """Tell whether a file belongs to Python itself: its library, or what it starts with."""
    return f"{path}{os.sep}".startswith(("<", *_libraries())) or path.endswith("pyvenv.cfg")


def is_ours(path: str) -> bool:
    """Tell whether a file is trtbuild's own, wherever that is installed."""
    return path.startswith(OURS + os.sep)


def is_of_the_system(path: str) -> bool:
    """Tell whether a file belongs to the machine."""
    return path.startswith(SYSTEM) and not path.startswith(OF_USERS)


@cache
def _libraries() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    places = {paths["stdlib"], paths["platstdlib"], os.path.dirname(os.__file__)}  # noqa: PTH120
    zipped = f"python{sys.version_info[0]}{sys.version_info[1]}.zip"
    return (*(place + os.sep for place in places), *(p for p in sys.path if p.endswith(zipped)))


def list_import_roots() -> list[str]:
    """Return the folders that Python imports from wherever it is started.

    Without the folder of the script, and the one where the command is typed: a worker has neither.
    """
    given = [p for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p]
    script = os.path.dirname(os.path.abspath(sys.argv[0])) if sys.argv else ""  # noqa: PTH100, PTH120
    left_out = {"", script, os.getcwd()} - set(given)  # noqa: PTH109
    return list(dict.fromkeys([*given, *(path for path in sys.path if path not in left_out)]))


@cache
def find_distribution(module: str, file: str) -> str:
    """Return the distribution that brings an installed module; nothing where none owns it."""
    parts = Path(file).parts
    at = max((i for i, part in enumerate(parts) if part in INSTALLED), default=None)
    if at is None:
        return ""
    folder = Path(*parts[: at + 1])
    names = {_name(each): each for each in folder.iterdir() if each.suffix in _METADATA}
    plain = re.sub(r"[-_.]+", "-", module).lower()
    if plain in names:
        return plain
    start = re.compile(rf"^{re.escape(module)}[/.]", re.MULTILINE)
    return next((name for name, each in sorted(names.items()) if _brings(each, start)), "")


def _name(metadata: Path) -> str:
    return re.sub(r"[-_.]+", "-", metadata.stem.partition("-")[0]).lower()


def _brings(metadata: Path, start: re.Pattern[str]) -> bool:
    for name in ("RECORD", "installed-files.txt"):
        try:
            return bool(start.search((metadata / name).read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError):
            continue
    return False
