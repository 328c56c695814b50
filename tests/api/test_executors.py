"""Executors by name, and how they are to run steps."""

from __future__ import annotations

import pytest

from trtbuild.api.executors import EXECUTORS, ExecutorSettings, using_executor
from trtbuild.core.devices import DeviceChoice
from trtbuild.core.errors import NoGpu, UsageError
from trtbuild.machine import facts
from trtbuild.machine.facts import Gpu


@pytest.fixture
def made(monkeypatch):
    """What executors were made with."""
    found = []
    local = EXECUTORS["local"]
    monkeypatch.setitem(EXECUTORS, "local", lambda given: found.append(given) or local(given))
    return found


def test_an_executor_by_name_is_told_how_to_run_steps(made, monkeypatch):
    """On which GPU, of those that are here."""
    monkeypatch.setattr(facts, "list_gpus", lambda: (Gpu("L4", "8.9"), Gpu("L4", "8.9")))

    with using_executor("local", jobs=3, log_level="verbose", device=1):
        pass

    assert [ExecutorSettings(jobs=3, log_level="verbose", device=DeviceChoice(index=1))] == made


def test_a_gpu_that_is_not_here_is_an_error_before_anything_runs(made, monkeypatch):
    """Whatever would have been run: it was asked for by its index."""
    monkeypatch.setattr(facts, "list_gpus", lambda: ())

    with pytest.raises(NoGpu, match="there is no NVIDIA GPU"), using_executor("local", device=0):
        pass

    assert [] == made


def test_a_process_that_runs_already_sees_the_gpus_that_it_sees(monkeypatch):
    """CUDA asks for them once; what to type instead is said."""
    monkeypatch.setattr(facts, "list_gpus", lambda: (Gpu("L4", "8.9"),))

    with pytest.raises(UsageError) as caught, using_executor("inline", device=0):
        pass

    assert "CUDA_VISIBLE_DEVICES=0 trtbuild" in caught.value.hint


def test_there_are_no_others():
    """Their names are said."""
    with pytest.raises(UsageError, match="there is no executor `slurm`"), using_executor("slurm"):
        pass


@pytest.mark.parametrize("device", ["0", "cuda:1"])
def test_of_a_cluster_no_gpu_is_asked_for_by_its_index(device):
    """Ray deals them out; what may be asked for is said."""
    with pytest.raises(UsageError) as caught, using_executor("ray", device=device):
        pass

    assert "--device cuda" in caught.value.hint


def test_a_cluster_is_told_where_models_are_computed(monkeypatch):
    """By its workers' GPUs, and how many samples at a time."""
    from trtbuild.run.cluster import executor as module

    made = []

    class Cluster:
        def __init__(self, name, **options):
            made.append((name, options["inference"], options["batch"]))

        def close(self):
            pass

    monkeypatch.setattr(module, "RayCluster", Cluster)
    with using_executor("ray://auto", device="cuda", batch=3):
        pass

    assert [("ray://auto", "cuda", 3)] == made
