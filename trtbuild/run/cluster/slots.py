"""Slots of a cluster: made when a step wants one, kept warm for the next, given up when idle."""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass
from typing import Any, NamedTuple

from trtbuild.core.log_levels import LogLevel
from trtbuild.run.cluster.session import RaySession
from trtbuild.run.cluster.slot import OURS, Slot

__all__ = ["FarSlot", "SlotSort", "Slots"]

CLOSE_SECONDS = 5.0
IDLE_SECONDS = 15.0
"""How long a slot is kept for the next step: others may want its processors."""


class SlotSort(NamedTuple):
    """What makes one slot as good as another for a step."""

    nodes: tuple[str, ...]
    cpus: float
    gpus: float
    memory_bytes: int


@dataclass(eq=False)
class FarSlot:
    """A slot on some node, seen from here."""

    actor: Any
    sort: SlotSort
    free_since: float = 0.0
    staged: bool = False
    """Whether files were carried there, which it is to remove."""


class Slots:
    """All slots of this process."""

    def __init__(self, session: RaySession, log_level: LogLevel) -> None:
        self._session = session
        self._log_level = log_level
        self._free: list[FarSlot] = []

    def take(self, sort: SlotSort) -> FarSlot:
        """Return a slot that is free, or a new one, which Ray makes when there is room for it."""
        for slot in self._free:
            if slot.sort == sort:
                self._free.remove(slot)
                return slot
        self.end(*self._free)  # what they hold may be what the new one needs
        variables = {name: os.environ[name] for name in OURS if name in os.environ}
        remote = self._session.ray.remote(Slot)
        actor = remote.options(
            num_cpus=sort.cpus,
            num_gpus=sort.gpus,
            memory=sort.memory_bytes or None,
            max_concurrency=3,
            max_restarts=0,
            label_selector=self._session.select(list(sort.nodes)),
        ).remote(max(1, math.floor(sort.cpus)), self._log_level, variables)
        return FarSlot(actor, sort)

    def free(self, slot: FarSlot) -> None:
        """Keep a slot for the next step; one with a GPU ends, for whoever wants that next."""
        if slot.sort.gpus:
            self.end(slot)
            return
        slot.free_since = time.perf_counter()
        self._free.append(slot)

    def end(self, *slots: FarSlot) -> None:
        """End slots, and what runs in them; what a lost one left, the next one there removes."""
        closing = [slot.actor.close.remote() for slot in slots if slot.staged]
        if closing:
            self._session.ray.wait(closing, num_returns=len(closing), timeout=CLOSE_SECONDS)
        for slot in slots:
            self._session.ray.kill(slot.actor, no_restart=True)
            if slot in self._free:
                self._free.remove(slot)

    def end_idle(self) -> None:
        """End those that nobody has wanted for a while."""
        now = time.perf_counter()
        self.end(*(each for each in self._free if now - each.free_since > IDLE_SECONDS))

    def end_all(self) -> None:
        """End all that are free."""
        self.end(*self._free)
