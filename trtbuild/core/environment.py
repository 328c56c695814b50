"""Which variables of the environment user code is given: a short list, and what is declared."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterator
from typing import Any

__all__ = ["GIVEN", "withhold_variables"]

GIVEN = (
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "TZ", "LANG", "LANGUAGE", "LC_",
    "TMPDIR", "TEMP", "TMP", "XDG_", "PYTHON", "VIRTUAL_ENV", "CONDA_PREFIX", "LD_",
    "CUDA_", "NVIDIA_", "OMP_", "MKL_", "KMP_", "GOMP_", "OPENBLAS_", "NUMEXPR_", "VECLIB_",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "SSL_CERT_", "REQUESTS_CA_BUNDLE",
    "SYSTEMROOT", "WINDIR", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "USERPROFILE", "PATHEXT",
    "COMSPEC", "SYSTEMDRIVE", "NUMBER_OF_PROCESSORS",
)  # fmt: skip
"""Those that user code is given undeclared: names, and beginnings of names (with `_`)."""
_ENDINGS = tuple(name for name in GIVEN if name.endswith("_") or name == "PYTHON")


@contextlib.contextmanager
def withhold_variables(declared: Collection[str]) -> Iterator[set[str]]:
    """Take away what is neither given nor declared; yield the names of those asked for meanwhile.

    All come back at the end, as they were.
    """
    before = dict(os.environ)
    withheld = {name for name in before if not _is_given(name) and name not in declared}
    for name in withheld:
        del os.environ[name]
    asked: set[str] = set()
    environ: Any = os.environ  # what C code asks is set by it too
    real, environ._data = environ._data, _Noticing(environ._data, asked, withheld)  # noqa: SLF001  # the one place that all ask
    try:
        yield asked
    finally:
        for name in set(os.environ) - set(before):
            del os.environ[name]
        environ._data = real  # noqa: SLF001
        os.environ.update(before)


def _is_given(name: str) -> bool:
    upper = name.upper()
    return upper in GIVEN or upper.startswith(_ENDINGS)


class _Noticing(dict[Any, Any]):
    """What stands behind `os.environ`, and hears of those that are asked for and withheld."""

    def __init__(self, data: dict[Any, Any], asked: set[str], withheld: Collection[str]) -> None:
        super().__init__(data)
        self._asked, self._withheld = asked, withheld

    def __missing__(self, key: Any) -> Any:
        name = os.fsdecode(key)
        if name in self._withheld:
            self._asked.add(name)
        raise KeyError(key)
