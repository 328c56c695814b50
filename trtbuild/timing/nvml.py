"""What NVIDIA's management library says of a GPU: clocks, power, memory, and who else is on it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any

from trtbuild.core.timing import DeviceUse
from trtbuild.timing.rounds import Meter

__all__ = ["GpuMeter", "GpuWatch"]

NOT_READ = "NVML is not read, so that clocks, power, energy and memory of the GPU are not known"
HOT_C = 85
"""From here GPUs throttle, or are about to."""
_REASONS = {
    "SwPowerCap": "the power limit",
    "HwSlowdown": "the hardware's protection",
    "SwThermalSlowdown": "heat",
    "HwThermalSlowdown": "heat",
    "HwPowerBrakeSlowdown": "the power brake",
}
"""Why clocks are lower than they could be, of NVML's reasons those that spoil a time."""


class GpuWatch:
    """One GPU, watched while something runs on it; silent where NVML cannot be read."""

    def __init__(self, bus: str) -> None:
        self.why_not = ""
        self._nvml: Any = None
        self._handle: Any = None
        self._throttled: set[str] = set()
        self._hottest = 0
        if not bus:
            self.why_not = "CUDA shows no GPU"
            return
        try:
            import pynvml

            pynvml.nvmlInit()
            self._nvml = pynvml
            self._handle = pynvml.nvmlDeviceGetHandleByPciBusId(bus)
        except ModuleNotFoundError:
            self.why_not = f"{NOT_READ}: pip install 'trtbuild[nvml]'"
        except Exception as error:  # noqa: BLE001  # a driver that is another's, or hides it
            self._nvml, self.why_not = None, f"{NOT_READ}: {error}"

    def ask(self, name: str, *more: Any) -> Any:
        """Return what `nvmlDeviceGet<name>` answers; None where it does not."""
        if self._nvml is None:
            return None
        with contextlib.suppress(self._nvml.NVMLError, AttributeError):
            return getattr(self._nvml, f"nvmlDeviceGet{name}")(self._handle, *more)
        return None

    def describe(self) -> tuple[str, str]:
        """Return the GPU's name and its driver."""
        name = self.ask("Name") or ""
        driver = self._nvml.nvmlSystemGetDriverVersion() if self._nvml is not None else ""
        return tuple(  # type: ignore[return-value]
            each.decode() if isinstance(each, bytes) else str(each) for each in (name, driver)
        )

    def read_clock_mhz(self) -> int | None:
        """Return the clock of the multiprocessors."""
        return self._number("ClockInfo", 1)  # NVML_CLOCK_SM

    def read_used_bytes(self) -> int | None:
        """Return the GPU's memory that is taken, by whomever."""
        found = self.ask("MemoryInfo")
        return None if found is None else int(found.used)

    def read_energy_mj(self) -> int | None:
        """Return the energy that the board has taken since the driver was loaded, in mJ."""
        return self._number("TotalEnergyConsumption")

    def read_power_w(self) -> float | None:
        """Return the power of the board."""
        found = self._number("PowerUsage")
        return None if found is None else found / 1000

    def read_temperature_c(self) -> int | None:
        """Return the temperature of the chip."""
        return self._number("Temperature", 0)  # NVML_TEMPERATURE_GPU

    def _number(self, name: str, *more: Any) -> int | None:
        found = self.ask(name, *more)
        return None if found is None else int(found)

    def look(self) -> None:
        """Note what is against the figures at this moment."""
        bits = self.ask("CurrentClocksThrottleReasons") or 0
        for name, words in _REASONS.items():
            mask = getattr(self._nvml, f"nvmlClocksThrottleReason{name}", 0)
            if bits & mask:
                self._throttled.add(words)
        self._hottest = max(self._hottest, self.read_temperature_c() or 0)

    def state(self) -> dict[str, str]:
        """Say in words what was seen."""
        found = {
            "GPU clock": self.read_clock_mhz(),
            "highest GPU clock": self._number("MaxClockInfo", 1),
            "GPU temperature": self._hottest or None,
            "GPU power": self.read_power_w(),
        }
        units = {"GPU clock": " MHz", "highest GPU clock": " MHz", "GPU temperature": " °C"}
        return {
            name: f"{value:.0f}{units.get(name, ' W')}"
            for name, value in found.items()
            if value is not None
        }

    def list_doubts(self) -> Iterator[str]:
        """Say what speaks against the figures."""
        for words in sorted(self._throttled):
            yield f"the GPU's clocks were held down by {words}"
        if self._hottest >= HOT_C:
            yield f"the GPU was at {self._hottest} °C"
        found = [each.pid for each in self.ask("ComputeRunningProcesses") or ()]
        # In a container, numbers of processes may be those outside: nobody is recognized then.
        if os.getpid() in found and len(found) > 1:
            yield f"{len(found) - 1} other processes are on the GPU"


class GpuMeter(Meter):
    """Energy, power and clocks around the blocks of one variant."""

    def __init__(self, watch: GpuWatch) -> None:
        self._watch = watch
        self._energy: int | None = None
        self._calls = 0
        self._spent = 0
        self._clocks: list[int] = []
        self._power: list[float] = []

    def start(self) -> None:
        """Read the energy so far."""
        self._energy = self._watch.read_energy_mj()

    def stop(self, calls: int) -> None:
        """Read what was spent, and how the GPU is doing right after."""
        clock, power = self._watch.read_clock_mhz(), self._watch.read_power_w()
        spent = self._watch.read_energy_mj()
        if spent is not None and self._energy is not None:
            self._spent += spent - self._energy
        self._calls += calls
        self._clocks += [] if clock is None else [clock]
        self._power += [] if power is None else [power]
        self._watch.look()

    def use(self) -> DeviceUse | None:
        """Return what it comes to; None where nothing was read."""
        if not self._clocks and not self._power and not self._spent:
            return None
        return DeviceUse(
            energy_mj=self._spent / self._calls if self._spent and self._calls else None,
            power_w=sum(self._power) / len(self._power) if self._power else None,
            clock_mhz=(min(self._clocks), max(self._clocks)) if self._clocks else None,
            temperature_c=self._watch.read_temperature_c(),
        )
