"""What runs on a node: on files that it sees, or on copies that it gives back."""

from __future__ import annotations

import os
import sys
from collections import deque
from pathlib import Path
from types import SimpleNamespace

import pytest

from trtbuild.run.cluster.slot import Slot
from trtbuild.run.cluster.staging import list_files, pack
from trtbuild.run.executor import Call, CallResult, StepProgress
from trtbuild.steps.base import Pinned
from trtbuild.steps.describe_engine import DescribeEngine


class Copying:
    """A Local that copies the engine that a step names to its output."""

    def __init__(self):
        self.told = deque()
        self.closed = False

    def start(self, call):
        data = Path(call.step.engine.path).read_bytes()
        Path(call.out, "description.json").write_bytes(data)
        Path(call.log).write_text("said")
        self.told += [
            StepProgress(name=call.name, done=1, total=2, unit="parts"),
            CallResult(name=call.name, seconds=1.0, where="process 3"),
        ]

    def wait(self, timeout_seconds):
        return self.told.popleft()

    def close(self):
        self.closed = True


@pytest.fixture
def slot(monkeypatch, tmp_path):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    here = SimpleNamespace(get_node_id=lambda: "n1")
    ray = SimpleNamespace(
        get=lambda ref: ref, put=lambda data: data, get_runtime_context=lambda: here
    )
    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    made = Slot(1, "info", {})
    made._local = Copying()
    return made


def call_in(folder):
    engine = folder / "far/model.engine"
    engine.parent.mkdir(parents=True)
    engine.write_bytes(b"engine")
    step = DescribeEngine(
        flavour="tensorrt_rtx", engine=Pinned(path=str(engine), digest="sha256:00")
    )
    out = folder / "work/out"
    out.mkdir(parents=True)
    return Call(name="it", step=step, inputs={}, out=str(out), log=str(folder / "work/log.txt"))


def test_on_files_that_it_sees_it_just_runs(slot, tmp_path):
    """And says where, and how far it came."""
    call = call_in(tmp_path)
    told = slot.run(call.model_dump_json(), list_files(call), None)

    end = CallResult.model_validate_json(told["end"])
    assert end.where.endswith(", process 3")
    assert b"engine" == Path(call.out, "description.json").read_bytes()
    assert '"done":1' in slot.progress()


def test_what_it_does_not_see_is_said(slot, tmp_path):
    """Nothing runs then."""
    call = call_in(tmp_path)
    seen = list_files(call)
    Path(seen[0]).unlink()

    assert {"unseen": True, "node": "n1"} == slot.run(call.model_dump_json(), seen, None)


def test_on_copies_it_gives_back_what_was_written(slot, tmp_path):
    """Outputs and log; of what it was given nothing here is touched, and nothing is left."""
    call = call_in(tmp_path)
    files = {path: pack(Path(path), lambda data: data) for path in list_files(call)}
    for path in files:
        Path(path).unlink()

    told = slot.run(call.model_dump_json(), (), files)
    assert ({"description.json": [b"engine"]}, [b"said"]) == (told["outputs"], told["log"])
    assert [] == list(Path(call.out).iterdir())
    stage = slot._stage
    slot.close()
    assert slot._local.closed
    assert not stage.exists()


def test_steps_do_not_see_what_ray_sets(slot, monkeypatch):
    """They see what whoever started the build has set."""
    assert "OMP_NUM_THREADS" not in os.environ
    Slot(1, "info", {"OMP_NUM_THREADS": "3"})
    assert "3" == os.environ["OMP_NUM_THREADS"]
