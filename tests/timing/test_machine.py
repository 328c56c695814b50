"""What a machine is, and how busy."""

from __future__ import annotations

import os

from trtbuild.timing import machine
from trtbuild.timing.machine import BusyWatch, describe_machine, list_cores, write_ranges


def test_processors_are_written_as_the_kernel_does():
    """Runs joined, single ones alone."""
    assert "0-2,5,7-8" == write_ranges((0, 1, 2, 5, 7, 8))
    assert "" == write_ranges(())


def test_a_machine_is_described():
    """By what times on it rest on; a difference is told by name."""
    found = describe_machine(gpu="NVIDIA L4", driver="580")

    assert (len(list_cores()), True) == (found.cores, bool(found.processor))
    other = found.model_copy(update={"affinity": "99", "gpu": "none at all"})
    assert (f"affinity: {found.affinity} → 99",) == found.list_differences(other, gpu=False)
    assert 2 == len(found.list_differences(other, gpu=True))


def test_what_others_take_is_doubted(monkeypatch):
    """Of 10 s of one processor 4 were worked, 1 of it here: 30 % are others'."""
    ticks = os.sysconf("SC_CLK_TCK")
    told = iter([[0, 0, 0, 0, 0], [0, 0, 0, 0, 0], [4, 0, 0, 6, 0], [4, 0, 0, 6, 0]])
    monkeypatch.setattr(machine, "_read_jiffies", lambda: [each * ticks for each in next(told)])
    times = iter([(0.0, 0.0, 0.0, 0.0, 0.0), (0.5, 0.5, 0.0, 0.0, 0.0)])
    monkeypatch.setattr(machine.os, "times", lambda: next(times))
    watch = BusyWatch()
    with watch.watching():
        pass

    assert "30.00 %" == watch.describe()["processor time of others"]
    assert ["other processes took 30%"] == [each[:24] for each in watch.list_doubts()]
