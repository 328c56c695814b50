"""Which variables of the environment user code is given: a short list, and what is declared."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from trtbuild.core.asking import find_asker
from trtbuild.core.provenance import is_installed

__all__ = ["GIVEN", "withhold_variables"]

GIVEN = (
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "TZ", "LANG", "LANGUAGE", "LC_",
    "TMPDIR", "TEMP", "TMP", "XDG_", "PYTHON", "VIRTUAL_ENV", "CONDA_PREFIX", "LD_",
    "CUDA_", "NVIDIA_", "OMP_", "MKL_", "KMP_", "GOMP_", "OPENBLAS_", "NUMEXPR_", "VECLIB_",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "SSL_CERT_", "REQUESTS_CA_BUNDLE",
    "SYSTEMROOT", "WINDIR", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "USERPROFILE", "PATHEXT",
    "COMSPEC", "SYSTEMDRIVE", "NUMBER_OF_PROCESSORS", "PYDANTIC_DISABLE_PLUGINS",
)  # fmt: skip
"""Those that user code is given undeclared: names, and beginnings of names (with `_`)."""
UNSEEN = (
    "HOME", "USER", "LOGNAME", "SHELL", "TERM", "TZ", "LANG", "LANGUAGE", "LC_", "XDG_",
    "VIRTUAL_ENV", "CONDA_PREFIX", "APPDATA", "LOCALAPPDATA", "USERPROFILE",
)  # fmt: skip
"""Those of them that libraries of C are not given, since nobody hears them ask: people differ in
these. In the others machines differ, and programs cannot start or reach the network without."""
PLAIN = {"TZ": "UTC"}
"""What they are given instead: without it, they would look into the machine's settings."""
PLACES = ("PATH", "HOME", "PWD", "TMPDIR", "TEMP", "TMP")
"""Those that are others on each machine: what is opened there counts by itself."""
LOOKING_UP = ("__getitem__", "get", "getenv", "getenvb")


@contextlib.contextmanager
def withhold_variables(
    declared: Collection[str], taken: set[str] | None = None
) -> Iterator[set[str]]:
    """Take away what is neither given nor declared; yield the names of those asked for meanwhile.

    Into `taken` go those that are given, and that the user's own code asks for by name. All come
    back at the end, as they were.
    """
    before = dict(os.environ)
    withheld = {name for name in before if not _is_given(name) and name not in declared}
    for name in withheld:
        del os.environ[name]
    unseen = {name for name in before if _is_one_of(UNSEEN, name) and name not in declared}
    _hide(unseen, {name: text for name, text in PLAIN.items() if name not in declared})
    asked: set[str] = set()
    environ: Any = os.environ  # what C code asks is set by it too
    real, environ._data = environ._data, _Noticing(environ._data, asked, withheld, taken)  # noqa: SLF001  # the one place that all ask
    try:
        yield asked
    finally:
        for name in set(os.environ) - set(before):
            del os.environ[name]
        environ._data = real  # noqa: SLF001
        _hide(PLAIN, {})
        os.environ.update(before)
        _take_over_time_zone()


def _hide(names: Iterable[str], instead: Mapping[str, str]) -> None:
    """Take variables from what C sees, or give it others; `os.environ` is as it was."""
    for name in names:
        os.unsetenv(name)
    for name, text in instead.items():
        os.putenv(name, text)
    _take_over_time_zone()


def _take_over_time_zone() -> None:
    if hasattr(time, "tzset"):
        time.tzset()


def _is_given(name: str) -> bool:
    return _is_one_of(GIVEN, name) or name.upper().startswith("PYTHON")


def _is_one_of(known: tuple[str, ...], name: str) -> bool:
    upper = name.upper()
    return upper in known or upper.startswith(tuple(each for each in known if each[-1] == "_"))


def _is_users_own() -> bool:
    """Tell whether the user's own code asks, by name: not a library, nor Python for itself."""
    asker, called, _ = find_asker(sys._getframe(2))  # noqa: SLF001
    return called in LOOKING_UP and not asker.startswith("<") and not is_installed(asker)


class _Noticing(dict[Any, Any]):
    """What stands behind `os.environ`, and hears of those that are asked for and withheld."""

    def __init__(
        self,
        data: dict[Any, Any],
        asked: set[str],
        withheld: Collection[str],
        taken: set[str] | None,
    ) -> None:
        super().__init__(data)
        self._asked, self._withheld, self._taken = asked, withheld, taken

    def __getitem__(self, key: Any) -> Any:
        name = os.fsdecode(key)
        if self._taken is not None and _is_given(name) and name not in PLACES and _is_users_own():
            self._taken.add(name)
        return super().__getitem__(key)

    def __missing__(self, key: Any) -> Any:
        name = os.fsdecode(key)
        if name in self._withheld:
            self._asked.add(name)
        raise KeyError(key)
