"""Staged: an executor whose steps see copies alone, in another folder, as on another machine."""

from __future__ import annotations

import contextlib
import queue
import shutil
import sys
import time
from pathlib import Path

from trtbuild.core.needs import Needs
from trtbuild.core.options import relocate
from trtbuild.machine.facts import InstalledPackages
from trtbuild.machine.places import find_place
from trtbuild.run.executor import Call, CallResult, StepProgress
from trtbuild.run.process import WorkerKey, WorkerProcess


class Staged:
    """Copies what a call names into `stage`, and hides the folders that it all came from.

    What a step reads without its call naming it is not there; what it writes beside its outputs
    is not brought back.
    """

    def __init__(self, stage: Path, hidden: tuple[Path, ...]) -> None:
        self._stage, self._hidden = stage, hidden
        self._here = InstalledPackages()
        self._happened: list[CallResult | StepProgress] = []

    def place(self, needs: Needs):
        return find_place(needs, self._here)

    def has_room(self, needs: Needs):
        return not self._happened

    def start(self, call: Call):
        staged = relocate(call, self._copied)
        Path(staged.out).mkdir(parents=True, exist_ok=True)
        with self._out_of_the_way():
            self._run(staged)
        shutil.copytree(staged.out, call.out, dirs_exist_ok=True)
        shutil.copyfile(staged.log, call.log)

    def _copied(self, path: str) -> str:
        """Return where a path is on the other side, once what lies there is copied."""
        there = self._stage / path.lstrip("/")
        if Path(path).is_file():
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, there)
        return str(there)

    @contextlib.contextmanager
    def _out_of_the_way(self):
        away = [(path, path.with_name(f"{path.name}.hidden")) for path in self._hidden]
        for path, other in away:
            path.rename(other)
        try:
            yield
        finally:
            for path, other in away:
                other.rename(path)

    def _run(self, call: Call):
        told = queue.SimpleQueue()
        begin = time.perf_counter()
        key = WorkerKey(self.place(call.step.needs()).python or sys.executable, "")
        process = WorkerProcess(key, told, log=Path(call.log))
        process.run(call, threads=1)
        while not isinstance(said := told.get(timeout=120).what, dict):
            self._happened += [said] if said else []
        process.kill()
        said.pop("peak_bytes")
        seconds = time.perf_counter() - begin
        self._happened.append(CallResult(seconds=seconds, where="elsewhere", **said))

    def wait(self, timeout_seconds: float):
        return self._happened.pop(0) if self._happened else None

    def close(self):
        pass


def artifacts(applied) -> dict[tuple[str, str], object]:
    """What an apply made, by step and artifact: digests, to compare with another executor's."""
    # The plan of a model with dynamic shapes holds memory addresses: its size alone is promised.
    return {
        (outcome.step, each.name): each.size_bytes if each.name == "engine" else each.digest
        for outcome in applied.record.outcomes
        for each in outcome.artifacts
        if each.name != "result"
    }
