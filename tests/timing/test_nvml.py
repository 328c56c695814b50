"""What is said of a GPU, by a library that answers as it is told."""

from __future__ import annotations

import os
import sys
from types import SimpleNamespace

import pytest

from trtbuild.timing.nvml import GpuMeter, GpuWatch


class NVMLError(Exception):
    pass


@pytest.fixture
def nvml(monkeypatch):
    """A GPU that takes 1 J between two questions, at 1980 MHz, and was hot once."""
    told = {"energy": 0, "bits": 4, "heat": 90, "pids": [os.getpid(), 1]}

    def spend(_handle):
        told["energy"] += 1000
        return told["energy"]

    def refuse(*_):
        raise NVMLError

    module = SimpleNamespace(
        NVMLError=NVMLError,
        nvmlInit=lambda: None,
        nvmlDeviceGetHandleByPciBusId=lambda bus: bus,
        nvmlSystemGetDriverVersion=lambda: "580.1",
        nvmlDeviceGetName=lambda _handle: b"NVIDIA H200",
        nvmlDeviceGetClockInfo=lambda _handle, sort: 1980 if sort == 1 else 0,
        nvmlDeviceGetMaxClockInfo=refuse,
        nvmlDeviceGetMemoryInfo=lambda _handle: SimpleNamespace(used=5 << 30),
        nvmlDeviceGetTotalEnergyConsumption=spend,
        nvmlDeviceGetPowerUsage=lambda _handle: 350_000,
        nvmlDeviceGetTemperature=lambda _handle, _sensor: told["heat"],
        nvmlDeviceGetCurrentClocksThrottleReasons=lambda _handle: told["bits"],
        nvmlClocksThrottleReasonSwPowerCap=4,
        nvmlDeviceGetComputeRunningProcesses=lambda _handle: [
            SimpleNamespace(pid=pid) for pid in told["pids"]
        ],
    )
    monkeypatch.setitem(sys.modules, "pynvml", module)
    return told


def test_energy_is_that_of_the_blocks_by_calls(nvml):
    """Two blocks of 10 calls took 1 J each: 100 mJ a call."""
    meter = GpuMeter(GpuWatch("bus"))
    for _ in range(2):
        meter.start()
        meter.stop(10)
    use = meter.use()

    assert (100.0, 350.0, (1980, 1980), 90) == (
        use.energy_mj, use.power_w, use.clock_mhz, use.temperature_c,
    )  # fmt: skip


def test_what_speaks_against_the_figures_is_said(nvml):
    """Clocks held down, heat, company; numbers of processes of another world are no company."""
    watch = GpuWatch("bus")
    watch.look()

    assert ("NVIDIA H200", "580.1") == watch.describe()
    assert [
        "the GPU's clocks were held down by the power limit",
        "the GPU was at 90 °C",
        "1 other processes are on the GPU",
    ] == list(watch.list_doubts())
    assert {"GPU clock": "1980 MHz", "GPU temperature": "90 °C", "GPU power": "350 W"} == (
        watch.state()
    )
    nvml["pids"] = [1, 2]
    assert 2 == len(list(watch.list_doubts()))
    assert 5 << 30 == watch.read_used_bytes()


def test_without_nvml_that_is_said(monkeypatch):
    """And nothing is made up."""
    monkeypatch.setitem(sys.modules, "pynvml", None)
    watch = GpuWatch("bus")
    meter = GpuMeter(watch)
    meter.start()
    meter.stop(1)

    assert "pip install 'trtbuild[nvml]'" in watch.why_not
    assert meter.use() is None
    assert ({}, []) == (watch.state(), list(watch.list_doubts()))
    assert "CUDA shows no GPU" == GpuWatch("").why_not
