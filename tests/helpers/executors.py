"""Executors that run nothing and write down what they were asked; one that makes a GPU up."""

from __future__ import annotations

from collections import ChainMap, deque
from pathlib import Path

from tests.helpers.plans import FACTS
from trtbuild.core.arrays import write_npz
from trtbuild.core.needs import Needs
from trtbuild.machine.places import Place, find_lack
from trtbuild.run.executor import Call, CallResult
from trtbuild.run.inline import Inline
from trtbuild.steps.infer_engine import EngineRunner


class Recording:
    """Writes made-up outputs: their bytes follow from the step's own fields and its inputs' bytes.

    `constant` names steps whose outputs never change; `failing` maps steps to a message,
    or to a message with a hint and a code; `made`
    has the bytes of an output, by its file's name. It runs where these `facts` hold.
    """

    def __init__(
        self, *, constant=(), failing=None, room=1, facts=FACTS, hindrance=None, made=None
    ):
        self.started: list[str] = []
        self.calls: list[Call] = []
        self._facts, self._hindrance = facts, hindrance
        self._made = made or {}
        self._constant = set(constant)
        self._failing = failing or {}
        self._room = room
        self._ends: deque[CallResult] = deque()

    def place(self, needs):
        told = find_lack(needs, self._facts) if self._hindrance is None else self._hindrance
        return Place(self._facts, told)

    def has_room(self, needs):
        return len(self._ends) < self._room

    def start(self, call):
        self.started.append(call.name)
        self.calls.append(call)
        failure = self._failing.get(call.name, "")
        failure = failure if isinstance(failure, dict) else {"message": failure}
        message = failure["message"]
        if not message:
            for output, file in call.step.outputs.items():
                (Path(call.out) / file).write_bytes(
                    self._made.get(file) or self._bytes(call, output)
                )
        self._ends.append(
            CallResult(
                name=call.name,
                seconds=1.0,
                where="nowhere",
                code=failure.get("code", 3 if message else 0),
                message=message,
                hint=failure.get("hint", ""),
                notes=("profile 0",) if call.step.kind == "run_engine" else (),
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


class WithMadeUpGpu(Inline):
    """Runs steps here, as if a GPU were here too; what an engine gives on it is given.

    What it says of packages is true; only the GPU and the `outputs` of engines are not. With a
    `failure` (fields of a CallResult) no engine runs.
    """

    def __init__(self, gpu, outputs, version="TensorRT-RTX 1.7.1.116", *, failure=None):
        super().__init__()
        self.failure = failure
        self.gpu, self._outputs, self._version = gpu, outputs, version
        self.started: list[str] = []

    def place(self, needs):
        there = super().place(Needs(kind=needs.kind))
        facts = ChainMap({"gpu": self.gpu}, there.facts)
        return Place(facts, there.hindrance or find_lack(needs, facts)) if needs.gpu else there

    def start(self, call):
        self.started.append(call.name)
        if call.step.kind != "infer_engine":
            super().start(call)
            return
        if self.failure:
            failed = CallResult(name=call.name, seconds=0.1, where="a made-up GPU", **self.failure)
            self._happened.append(failed)
            return
        with write_npz(Path(call.out) / "outputs.npz") as file:
            for name, values in self._outputs.items():
                file.add(name, values)
        runner = EngineRunner(runner=f"{self._version} on {call.facts['gpu']}")
        (Path(call.out) / "runner.json").write_text(runner.model_dump_json())
        self._happened.append(CallResult(name=call.name, seconds=0.1, where="a made-up GPU"))
