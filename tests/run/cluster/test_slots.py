"""Slots are kept warm, and given up for whoever needs their room."""

from __future__ import annotations

from tests.helpers.ray_double import RayDouble, session_with
from trtbuild.run.cluster.slots import IDLE_SECONDS, Slots, SlotSort

CPU = SlotSort(("a", "b"), 2, 0.0, 0)
GPU = SlotSort(("b",), 1, 1.0, 4096)


def make():
    ray = RayDouble()
    return ray, Slots(session_with(ray, []), "info")


def test_a_slot_asks_ray_for_what_its_step_needs():
    """Processors, a GPU for itself, memory, and one of the nodes that can."""
    ray, slots = make()
    slots.take(GPU)

    (asked,) = ray.made
    assert (1, 1.0, 4096) == (asked["num_cpus"], asked["num_gpus"], asked["memory"])
    assert {"ray.io/node-id": "in(b)"} == asked["label_selector"]


def test_the_next_step_of_its_sort_finds_it_warm():
    """Of another sort, what is idle goes first: it may hold what that needs."""
    ray, slots = make()
    slots.free(slots.take(CPU))
    slots.free(slots.take(CPU))
    assert (1, []) == (len(ray.made), ray.killed)

    slots.take(GPU)
    assert (2, [0]) == (len(ray.made), ray.killed)


def test_a_gpu_is_given_back_at_once():
    """Whoever wants it next need not wait."""
    ray, slots = make()
    slots.free(slots.take(GPU))

    assert [0] == ray.killed


def test_nobody_keeps_processors_that_nothing_runs_on():
    """After a while they are others'; at the end all are."""
    ray, slots = make()
    slot = slots.take(CPU)
    slots.free(slot)
    slots.end_idle()
    assert [] == ray.killed
    slot.free_since -= IDLE_SECONDS + 1
    slots.end_idle()
    assert [0] == ray.killed
    slots.free(slots.take(CPU))
    slots.end_all()
    assert [0, 1] == ray.killed
