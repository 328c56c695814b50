"""Executor: the machines of a Ray cluster."""

from __future__ import annotations

import time
from collections import deque
from pathlib import Path
from typing import Any

from trtbuild.core.devices import Where
from trtbuild.core.log_levels import USUAL, LogLevel
from trtbuild.core.needs import Needs
from trtbuild.machine.places import Place
from trtbuild.run.cluster.nodes import ClusterNode, choose_nodes, demand_inference
from trtbuild.run.cluster.room import ClusterRoom
from trtbuild.run.cluster.session import RaySession, name_loss
from trtbuild.run.cluster.sharing import Shared, pays, share_out
from trtbuild.run.cluster.slots import FarSlot, Slots
from trtbuild.run.cluster.staging import list_files, pack, unpack
from trtbuild.run.cluster.tries import Running, bring_back, prepare_try, tell_lost, tell_unseen
from trtbuild.run.executor import Call, CallResult, StepProgress
from trtbuild.run.inference import Inference

__all__ = ["RayCluster"]

MOST_TRIES = 3
"""How often a step is tried whose worker was lost; after an error of its own it is not."""
LOST = frozenset({"SIGKILL", "SIGTERM", "SIGHUP"})
"""What ends a process from without: a machine that is taken away, or short of memory."""
ASK_SECONDS = 1.0
"""How often a running step is asked how far it is."""
NOBODY: frozenset[str] = frozenset()


class RayCluster:
    """Runs each step on a node that has what it needs, as many at once as there are processors.

    Ray deals out processors, memory and GPUs, a GPU that is needed alone as a whole; nodes that
    can run a step are found by what each says of itself. Where a worker is lost, its step is tried
    again elsewhere.
    """

    def __init__(
        self,
        executor: str = "ray",
        *,
        jobs: int = 2,
        log_level: LogLevel = USUAL,
        share_files: bool = True,
        inference: Where = "cpu",
        batch: int | None = None,
    ) -> None:
        """Connect, or start a Ray here; each step gets a node's processors divided by `jobs`.

        `inference` says where ONNX Runtime computes on the nodes, a `batch` at a time at most.
        Without `share_files`, files are carried to workers though they may see them.
        """
        self._session = RaySession(executor)
        self._jobs = jobs
        self._share_files = share_files
        self._where: Where = inference
        self._batch = batch
        self._inference = Inference(inference)
        self._nodes: tuple[ClusterNode, ...] | None = None
        self._slots = Slots(self._session, log_level)
        self._running: dict[Any, Running] = {}
        self._happened: deque[CallResult | StepProgress] = deque()
        self._shared: dict[str, Shared] = {}
        """Calibrations that are shared out, by the names of their parts."""
        self._alone: set[str] = set()
        """Those of which a share failed."""
        self._blind = NOBODY
        """Nodes that do not see the files of this project."""
        self._carried: dict[tuple[str, int, int], list[Any]] = {}

    @property
    def nodes(self) -> tuple[ClusterNode, ...]:
        """The nodes of the cluster, asked once what they have.

        Raises:
            NoGpu: ONNX Runtime is to compute on a GPU, and does so on no node.
        """
        if self._nodes is None:
            self._nodes = self._session.list_nodes(self._where, self._batch)
            if self._where == "cuda":
                demand_inference(self._nodes)
        return self._nodes

    def leave_gpu(self, step: str) -> str:
        """Have models computed on the CPU, where a step found a GPU's memory full; say that."""
        told = self._inference.leave_gpu(step)
        if told:
            self._where, self._nodes = "cpu", None
        return told

    def place(self, needs: Needs) -> Place:
        """Say on which nodes a step would run, and why on none."""
        return choose_nodes(self.nodes, needs)[1]

    def has_room(self, needs: Needs) -> bool:
        """Tell whether processors are free, and the GPU that a step needs."""
        return self._room.fits(needs, [each.slot.sort for each in self._running.values()])

    @property
    def _room(self) -> ClusterRoom:
        return ClusterRoom(self.nodes, self._jobs)

    def start(self, call: Call) -> None:
        """Hand a call out."""
        self._hand_out(call, call, tries=1, begin=time.perf_counter(), hosts=[])

    def _hand_out(
        self, call: Call, tried: Call, *, tries: int, begin: float, hosts: list[str]
    ) -> None:
        needs = call.step.needs()
        own = call.step.user_code() is not None
        slot = self._slots.take(self._room.sort(needs, but_not=self._blind if own else NOBODY))
        running = Running(call, needs, slot, tried, tries, begin, hosts=hosts)
        self._send(running, staged=not self._share_files and not own)

    def _send(self, running: Running, *, staged: bool) -> None:
        files = list_files(running.tried)
        carried = {path: self._carry(Path(path)) for path in files} if staged else None
        running.slot.staged |= staged
        running.asked_at = time.perf_counter()
        asked = running.tried.model_dump_json()
        self._running[running.slot.actor.run.remote(asked, files, carried)] = running

    def _carry(self, path: Path) -> list[Any]:
        seen = path.stat()
        key = (str(path), seen.st_size, seen.st_mtime_ns)
        if key not in self._carried:
            self._carried[key] = pack(path, self._session.ray.put)
        return self._carried[key]

    def wait(self, timeout_seconds: float) -> CallResult | StepProgress | None:
        """Return the next progress or end of a step."""
        if not self._happened:
            self._listen(timeout_seconds)
        return self._happened.popleft() if self._happened else None

    def _listen(self, timeout_seconds: float) -> None:
        now = time.perf_counter()
        for running in self._running.values():
            if running.asked is None and now - running.asked_at > ASK_SECONDS:
                running.asked = running.slot.actor.progress.remote()
        asked = {each.asked: each for each in self._running.values() if each.asked is not None}
        refs = [*self._running, *asked]
        if not refs:
            return
        ready, _ = self._session.ray.wait(refs, num_returns=1, timeout=timeout_seconds)
        for ref in ready:
            if ref in self._running:
                self._end(self._running.pop(ref), ref)
            else:
                self._progress(asked[ref], ref)
        self._slots.end_idle()

    def _progress(self, running: Running, ref: Any) -> None:
        running.asked, running.asked_at = None, time.perf_counter()
        try:
            told = self._session.ray.get(ref)
        except self._session.ray.exceptions.RayError:
            return  # that it is lost is told by its end
        if told is None:
            return
        said = StepProgress.model_validate_json(told)
        if said.name in self._shared:
            said = self._shared[said.name].progressed(said)
        self._happened.append(said)
        seconds = time.perf_counter() - running.begin
        workers = 1 + self._room.count() - len(self._running)
        name = running.call.name
        if name not in self._alone and pays(running.tried, said, seconds, workers):
            self._share_out(running, said.total, workers)

    def _share_out(self, running: Running, total: int, workers: int) -> None:
        """Begin a calibration anew, on all workers that are free."""
        for ref in [ref for ref, each in self._running.items() if each is running]:
            del self._running[ref]
        self._slots.end(running.slot)
        shared = share_out(running.call, total, workers)
        for part in shared.parts:
            self._shared[part.name] = shared
            self.start(part)

    def _gather(self, shared: Shared, told: CallResult) -> None:
        """Take the end of a share; with the last, do what is left of the calibration."""
        left = shared.end(told)
        if left is not None:
            self._alone |= {shared.call.name} if shared.failed else set()
            self._hand_out(shared.call, left, tries=1, begin=shared.begin, hosts=[])

    def _end(self, running: Running, ref: Any) -> None:
        try:
            told = self._session.ray.get(ref)
            if told.get("unseen") and self._send_unseen(running, told):
                return
            end = self._take_in(running, told)
        except self._session.ray.exceptions.RayError as error:
            self._lose(running, name_loss(error), running.slot)
            return
        if end.ended_by in LOST and running.tries < MOST_TRIES:
            self._slots.free(running.slot)
            self._lose(running, f"{end.where}: {end.message}", None)
            return
        self._slots.free(running.slot)
        self._inference.hear(end)
        self._deliver(running, end)

    def _send_unseen(self, running: Running, told: dict[str, Any]) -> bool:
        """Carry there what a node did not see; code goes to another. Return whether it goes on."""
        if running.call.step.user_code() is None:
            self._send(running, staged=True)
            return True
        self._blind |= {told["node"]}
        if not self._room.sort(running.needs, but_not=self._blind).nodes:
            return False
        self._slots.end(running.slot)
        self._hand_out(
            running.call, running.tried, tries=running.tries, begin=running.begin,
            hosts=running.hosts,
        )  # fmt: skip
        return True

    def _take_in(self, running: Running, told: dict[str, Any]) -> CallResult:
        """Return how a call ended, with what it wrote brought here."""
        if told.get("unseen"):
            return tell_unseen(running.call)
        get = self._session.ray.get
        if "outputs" in told:
            for name, chunks in told["outputs"].items():
                unpack(chunks, Path(running.tried.out) / name, get)
            unpack(told["log"], Path(running.tried.log), get)
        return CallResult.model_validate_json(told["end"])

    def _deliver(self, running: Running, end: CallResult) -> None:
        """Tell how a call ended; what a later try wrote is moved to where it was asked for."""
        call = running.call
        bring_back(call, running.tried)
        if call.name in self._shared:
            self._gather(self._shared.pop(call.name), end)
            return
        again = f", try {running.tries}" if running.tries > 1 else ""
        place = f" (on {end.where.partition(',')[0]})" if end.message else ""
        self._happened.append(
            end.model_copy(
                update={
                    "where": end.where + again,
                    "message": end.message and end.message + place,
                    "seconds": time.perf_counter() - running.begin,
                }
            )
        )

    def _lose(self, running: Running, what: str, slot: FarSlot | None) -> None:
        """Try again what a worker was lost with, elsewhere; after so many times give up."""
        if slot is not None:
            self._slots.end(slot)
            self._nodes = None  # a node may have left, or come
        hosts = [*running.hosts, what]
        if running.tries >= MOST_TRIES or not choose_nodes(self.nodes, running.needs)[0]:
            seconds = time.perf_counter() - running.begin
            self._happened.append(tell_lost(running.call, seconds, hosts))
            return
        tries = running.tries + 1
        tried = prepare_try(running.call, tries)
        self._hand_out(running.call, tried, tries=tries, begin=running.begin, hosts=hosts)

    def close(self) -> None:
        """End what runs, on all nodes, and leave; a Ray that was started here is stopped."""
        running = [each.slot for each in self._running.values()]
        self._running.clear()
        try:
            self._slots.end(*running)
            self._slots.end_all()
        finally:
            self._session.close()
