"""Slot: what runs on a node for one step at a time; an actor of Ray's around a Local."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from pathlib import Path
from typing import Any

from trtbuild.core.log_levels import LogLevel
from trtbuild.run.cluster.staging import Chunks, make_stage, pack, stage
from trtbuild.run.executor import Call, CallResult, StepProgress
from trtbuild.run.local import Local

__all__ = ["Slot"]

WAIT_SECONDS = 0.2
OURS = ("OMP_NUM_THREADS",)
"""Variables that Ray sets in its workers; steps are to see those of whoever started the build."""


class Slot:
    """Runs calls, one after the other, in worker processes that stay warm."""

    def __init__(self, threads: int, log_level: LogLevel, variables: dict[str, str]) -> None:
        for name in [name for name in os.environ if name in OURS or name.startswith("RAY_")]:
            del os.environ[name]
        os.environ.update(variables)
        self._local = Local(1, log_level=log_level, threads=threads)
        self._progress: StepProgress | None = None
        self._lock = threading.Lock()
        self._stage: Path | None = None
        self._lock_of_stage = -1

    def run(
        self, asked: str, seen: tuple[str, ...], files: dict[str, Chunks] | None
    ) -> dict[str, Any]:
        """Run a call, given as JSON; return how it ended.

        Without `files` it runs on the files where they are: where not all of those `seen` by
        whoever asks are here, nothing runs, and the answer is `unseen`. With them it runs on
        copies, and the answer has its outputs and its log.
        """
        call = Call.model_validate_json(asked)
        if files is None:
            if not all(Path(path).exists() for path in (*seen, call.out)):
                return {"unseen": True, "node": self._name_node()}
            return {"end": self._carry_out(call)}
        import ray

        if self._stage is None:
            self._stage, self._lock_of_stage = make_stage()
        staged = stage(call, files, self._stage, ray.get)
        end = self._carry_out(staged)
        out, log = Path(staged.out), Path(staged.log)
        outputs = {
            path.relative_to(out).as_posix(): pack(path, ray.put)
            for path in sorted(out.rglob("*"))
            if path.is_file()
        }
        told = pack(log, ray.put) if log.is_file() else []
        shutil.rmtree(out.parent, ignore_errors=True)
        return {"end": end, "outputs": outputs, "log": told}

    def _name_node(self) -> str:
        import ray

        return str(ray.get_runtime_context().get_node_id())

    def _carry_out(self, call: Call) -> str:
        with self._lock:
            self._progress = None
        self._local.start(call)
        while True:
            told = self._local.wait(WAIT_SECONDS)
            if isinstance(told, StepProgress):
                with self._lock:
                    self._progress = told
            elif isinstance(told, CallResult):
                where = f"{socket.gethostname()}, {told.where}"
                return told.model_copy(update={"where": where}).model_dump_json()

    def progress(self) -> str | None:
        """Say how far the running call is, as JSON; None where it has not said."""
        with self._lock:
            return None if self._progress is None else self._progress.model_dump_json()

    def close(self) -> None:
        """End what runs, and leave nothing behind."""
        self._local.close()
        if self._stage is not None:
            shutil.rmtree(self._stage, ignore_errors=True)
            os.close(self._lock_of_stage)
            self._stage = None
