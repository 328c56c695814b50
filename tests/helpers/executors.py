"""Executors that run nothing: they write down what they were asked."""

from __future__ import annotations

from collections import deque
from pathlib import Path

from trtbuild.run.executor import Call, Finished


class Recording:
    """Writes made-up outputs: their bytes follow from the step's own fields and its inputs' bytes.

    `constant` names steps whose outputs never change; `failing` maps steps to a message.
    """

    def __init__(self, *, constant=(), failing=None, room=1):
        self.threads = 1
        self.started: list[str] = []
        self.calls: list[Call] = []
        self._constant = set(constant)
        self._failing = failing or {}
        self._room = room
        self._ends: deque[Finished] = deque()

    def has_room(self):
        return len(self._ends) < self._room

    def start(self, call):
        self.started.append(call.name)
        self.calls.append(call)
        message = self._failing.get(call.name, "")
        if not message:
            for output, file in call.step.outputs.items():
                (Path(call.out) / file).write_bytes(self._bytes(call, output))
        self._ends.append(
            Finished(
                name=call.name,
                seconds=1.0,
                where="nowhere",
                message=message,
                code=3 if message else 0,
                caveats=call.caveats,
            )
        )

    def _bytes(self, call, output):
        if call.name in self._constant:
            return f"{call.name} {output}".encode()
        inputs = b"".join(Path(path).read_bytes() for _, path in sorted(call.inputs.items()))
        return f"{call.step.model_dump_json()} {output} ".encode() + inputs

    def wait(self, timeout_seconds):
        return self._ends.popleft() if self._ends else None

    def close(self):
        pass
