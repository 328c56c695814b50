"""What a machine is, how busy it is with other things, and what speaks against its figures."""

from __future__ import annotations

import contextlib
import os
import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from trtbuild.core.needs import count_machine_bytes
from trtbuild.core.timing import Machine
from trtbuild.core.words import format_figure

__all__ = ["BusyWatch", "describe_machine", "list_cores", "write_ranges"]

OTHERS = 0.1
"""Of the processors' time: what others may take before that is doubted."""
_CPUINFO, _STAT = Path("/proc/cpuinfo"), Path("/proc/stat")


def list_cores() -> tuple[int, ...]:
    """Return the logical processors that this process may run on."""
    try:
        return tuple(sorted(os.sched_getaffinity(0)))
    except AttributeError:  # not on macOS or Windows
        return tuple(range(os.cpu_count() or 1))


def write_ranges(numbers: Sequence[int]) -> str:
    """Write numbers as the kernel writes lists of processors: `0-3,8`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1][1:] = [number]
        else:
            runs.append([number])
    return ",".join("-".join(map(str, run)) for run in runs)


def describe_machine(*, gpu: str = "", driver: str = "") -> Machine:
    """Say what this process runs on."""
    cores = list_cores()
    return Machine(
        processor=_read_processor(),
        cores=len(cores),
        affinity=write_ranges(cores),
        memory_bytes=count_machine_bytes(),
        system=f"{platform.system()} {platform.release()}",
        gpu=gpu,
        driver=driver,
    )


def _read_processor() -> str:
    with contextlib.suppress(OSError):
        for line in _CPUINFO.read_text(errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() in {"model name", "Processor", "cpu model"}:
                return " ".join(value.split())
    return platform.processor() or platform.machine()


@dataclass
class BusyWatch:
    """How much of the processors others took, while something was measured."""

    others: float | None = None
    """Of the time of the processors, 0 to 1; None where the system does not tell."""

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Watch while the block runs."""
        busy, total, own = _read_busy(), _read_total(), sum(os.times()[:4])
        yield
        if busy is not None and total is not None:
            now_busy, now_total = _read_busy() or 0.0, _read_total() or 0.0
            mine = sum(os.times()[:4]) - own
            spent = max(now_total - total, 1e-9)
            self.others = min(max((now_busy - busy - mine) / spent, 0.0), 1.0)

    def describe(self) -> dict[str, str]:
        """Say it in words."""
        found = {}
        with contextlib.suppress(OSError, AttributeError):
            found["load average"] = f"{os.getloadavg()[0]:.2f}"
        if self.others is not None:
            found["processor time of others"] = format_figure(self.others, "share")
        return found

    def list_doubts(self) -> Iterator[str]:
        """Say what speaks against the figures."""
        if self.others is not None and self.others > OTHERS:
            yield (
                f"other processes took {self.others:.0%} of the processors' time meanwhile: "
                "measure on a quiet machine"
            )


def _read_jiffies() -> list[int]:
    with contextlib.suppress(OSError, ValueError):
        return [int(each) for each in _STAT.read_text().split("\n", 1)[0].split()[1:9]]
    return []


def _read_busy() -> float | None:
    """Return the seconds that all processors have worked for: all but idle and waiting ones."""
    found = _read_jiffies()
    return (sum(found) - found[3] - found[4]) / _hertz() if found else None


def _read_total() -> float | None:
    found = _read_jiffies()
    return sum(found) / _hertz() if found else None


def _hertz() -> int:
    return os.sysconf("SC_CLK_TCK")
