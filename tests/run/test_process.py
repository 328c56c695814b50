"""A worker process, seen from the one that started it: scripts stand in for Python here."""

from __future__ import annotations

import json
import queue
import signal
import time

import pytest

from trtbuild.core.values import Ranges
from trtbuild.run import process as module
from trtbuild.run.executor import Call, StepProgress
from trtbuild.run.identity import identify
from trtbuild.run.process import WorkerKey, WorkerProcess
from trtbuild.steps.locked_ranges import LockedRanges

REPORT = {
    "name": "it",
    "message": "",
    "hint": "",
    "code": 0,
    "notes": ["a"],
    "warnings": [],
    "caveats": [],
}
HELLO = {"hello": identify().model_dump(mode="json")}
OTHER = {"hello": {**HELLO["hello"], "sources": "of another day", "at": "/elsewhere"}}
PROGRESS = {"name": "it", "done": 1, "total": 2, "unit": "sample"}


@pytest.fixture
def start(tmp_path):
    """Start what a shell script does, as a worker; end it after the test."""
    made = []

    def started(script):
        python = tmp_path / f"python{len(made)}"
        python.write_text(f"#!/bin/sh\n{script}\n")
        python.chmod(0o755)
        told = queue.SimpleQueue()
        made.append(WorkerProcess(WorkerKey(str(python), ""), told, log=tmp_path / "start.log"))
        return made[-1], told

    yield started
    for process in made:
        process.kill()


def call(tmp_path):
    step = LockedRanges(table=Ranges(tensors={}))
    return Call(name="it", step=step, inputs={}, out=str(tmp_path), log=str(tmp_path / "it.log"))


def hear(told):
    """Return the next thing that a worker says."""
    return told.get(timeout=60).what


def test_a_worker_is_given_a_line_and_answers_with_lines(start, tmp_path):
    """Progress first, then its report; between the two, what it started may write what it likes."""
    process, told = start(
        f"""echo '{json.dumps(HELLO)}'
        read asked; printf '%s' "$asked" > {tmp_path}/asked
        echo '{json.dumps(PROGRESS)}'
        echo '[1] a library says hello'
        echo '{json.dumps(REPORT)}'"""
    )

    process.run(call(tmp_path), threads=3)

    assert hear(told) is None  # its greeting
    assert StepProgress(**PROGRESS) == hear(told)
    assert hear(told) is None  # what is no word of the worker's
    assert {**REPORT, "notes": ("a",), "warnings": (), "caveats": ()} == hear(told)
    asked = json.loads((tmp_path / "asked").read_text())
    assert (3, "info") == (asked["threads"], asked["log_level"])
    assert call(tmp_path) == Call.model_validate_json(json.dumps(asked["call"]))
    assert "[1] a library says hello\n" == (tmp_path / "it.log").read_text()


def test_what_goes_wrong_before_it_is_ready_is_logged(start, tmp_path):
    """A Python that does not start says why on standard error."""
    process, told = start("echo 'no module named trtbuild' >&2; exit 7")

    assert hear(told) is None
    while process.alive():
        time.sleep(0.01)
    assert 7 == process.status()
    assert "no module named trtbuild\n" == (tmp_path / "start.log").read_text()
    assert "ended with exit code 7 before it was ready" in process.describe_death(7)["message"]
    assert 4 == process.describe_death(7)["code"]
    process.run(call(tmp_path), threads=1)  # to no effect, and without an error


def test_killing_it_ends_what_it_started(start, tmp_path):
    """A compiler of its own, say; both are gone when `kill` returns or a moment later."""
    process, told = start(
        f"sleep 600 & echo $! > {tmp_path}/pid.part; mv {tmp_path}/pid.part {tmp_path}/pid; wait"
    )
    while not (tmp_path / "pid").exists():
        time.sleep(0.01)

    process.kill()

    assert -signal.SIGKILL == process.status()
    assert hear(told) is None  # the child had the pipe too: it would still be open


@pytest.mark.parametrize(
    ("says", "status"), [("SIGKILL; it may have run out of memory", -9), ("SIGSEGV", -11)]
)
def test_a_death_by_signal_is_told_by_its_name(start, says, status):
    """And the kernel's way to end what takes too much memory by its likely cause."""
    process, told = start(f"echo '{json.dumps(HELLO)}'; read asked")
    hear(told)

    assert process.describe_death(status)["message"].endswith(f"was ended by {says}")
    assert 3 == process.describe_death(status)["code"]


@pytest.mark.parametrize("says", [OTHER, {"hello": "an older word"}, REPORT, PROGRESS])
def test_a_worker_of_another_trtbuild_is_not_believed(says, start):
    """Be it newer, older, or so old that it does not greet: the step ends with one error."""
    process, told = start(f"echo '{json.dumps(says)}'; read asked")

    report = hear(told)

    assert 4 == report["code"]
    assert report["message"].startswith("its worker is another trtbuild: ")
    assert ("/elsewhere" in report["message"]) == (says is OTHER)
    assert not process.alive()


def test_a_worker_that_never_gets_ready_is_late(start, monkeypatch):
    """One that has greeted may take as long as its steps do."""
    monkeypatch.setattr(module, "READY_SECONDS", 0)
    silent, _ = start("read asked")
    ready, told = start(f"echo '{json.dumps(HELLO)}'; read asked")
    hear(told)

    assert silent.is_late()
    assert not ready.is_late()
    assert "said nothing for 0 seconds" in silent.describe_lateness()["message"]
