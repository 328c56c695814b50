"""How much memory a process has, and had at most; without a mark of the highest, None."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

__all__ = ["forget_peak", "read_peak_bytes", "read_resident_bytes"]

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def forget_peak() -> bool:
    """Let the mark of the highest begin anew; False where the system does not do that."""
    with contextlib.suppress(OSError):
        _CLEAR.write_text("5")
        return True
    return False


def read_peak_bytes() -> int | None:
    """Return the most memory that was resident since."""
    return _read("VmHWM")


def read_resident_bytes() -> int | None:
    """Return the memory that is resident."""
    return _read("VmRSS")


def _read(name: str) -> int | None:
    with contextlib.suppress(OSError):
        found = re.search(rf"^{name}:\s+(\d+) kB", _STATUS.read_text(), re.MULTILINE)
        return None if found is None else int(found[1]) * 1024
    return None
