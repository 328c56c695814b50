"""Worker processes of this machine: who may start, who stays warm, who ends."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from trtbuild.backends.tensorrt11 import Tensorrt11
from trtbuild.backends.tensorrt_rtx import TensorrtRtx
from trtbuild.core.needs import INFERENCE_DEVICE, Needs
from trtbuild.core.values import Range, Ranges
from trtbuild.machine.facts import Gpu
from trtbuild.run import local as module
from trtbuild.run import process as process_module
from trtbuild.run.executor import Call, CallResult
from trtbuild.run.local import Local
from trtbuild.steps.base import Pinned, Ref
from trtbuild.steps.build_engine import BuildEngine
from trtbuild.steps.describe_engine import DescribeEngine
from trtbuild.steps.import_ranges import ImportRanges
from trtbuild.steps.locked_ranges import LockedRanges

GPU_BUILD = BuildEngine(
    target="gpu", backend=Tensorrt11(kind="tensorrt11"), model=Ref(step="quantize", output="model")
)
RTX_BUILD = GPU_BUILD.model_copy(update={"backend": TensorrtRtx(kind="tensorrt_rtx")})
ENGINE = DescribeEngine(flavour="tensorrt11", engine=Pinned(path="/e", digest="sha256:0"))
QUICK = LockedRanges(table=Ranges(tensors={"x": Range(low=-1.0, high=1.0, origin="manual")}))


@pytest.fixture
def local(tmp_path, monkeypatch):
    """An executor of four jobs; the lock on the GPU is the test's own."""
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    with contextlib.closing(Local(4)) as made:
        yield made


def call(tmp_path, step=QUICK, name="it"):
    out = tmp_path / name / "out"
    out.mkdir(parents=True)
    log = tmp_path / name / "log.txt"
    return Call(name=name, step=step, inputs={}, out=str(out), log=str(log))


def ended(local):
    while not isinstance(told := local.wait(1), CallResult):
        pass
    return told


def test_two_builds_are_never_on_one_gpu(local, tmp_path):
    """Each times kernels, which company spoils; what needs no GPU runs beside them."""
    local.start(call(tmp_path, GPU_BUILD))

    assert not local.has_room(GPU_BUILD.needs())
    assert not local.has_room(ENGINE.needs())
    assert local.has_room(RTX_BUILD.needs())
    assert local.has_room(QUICK.needs())


def test_steps_run_on_the_gpu_with_the_index(local, tmp_path, monkeypatch):
    """Their process sees no other; where the index is none of CUDA's, all as it is."""
    made = []
    monkeypatch.setattr(process_module, "WorkerProcess", lambda *_, **more: made.append(more))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    with contextlib.closing(Local(1, device=1)) as second:
        for executor in (local, second):
            executor._worker(QUICK.needs(), call(tmp_path, name=f"of {id(executor)}"))

    assert [None, {"CUDA_VISIBLE_DEVICES": "1"}] == [each["environment"] for each in made]
    assert (0, 1) == (local._inference.here.device, second._inference.here.device)


def test_builds_on_two_gpus_do_not_wait_for_each_other(local, monkeypatch):
    """Another trtbuild builds on the second meanwhile, and on the first it does not."""
    monkeypatch.setattr(
        module, "list_gpus", lambda: (Gpu("L4", "8.9", bus="31"), Gpu("L4", "8.9", bus="17"))
    )
    assert local.has_room(GPU_BUILD.needs())

    with contextlib.closing(Local(1, device=1)) as second, contextlib.closing(Local(1)) as first:
        assert second.has_room(GPU_BUILD.needs())
        assert not first.has_room(GPU_BUILD.needs())


def test_engines_share_a_gpu_but_not_with_a_build(local, tmp_path):
    """Loading one times nothing."""
    local.start(call(tmp_path, ENGINE))

    assert local.has_room(ENGINE.needs())
    assert not local.has_room(GPU_BUILD.needs())


def test_inference_shares_the_gpu_where_that_computes_it(local, tmp_path, monkeypatch):
    """Then a build, which times kernels, waits for it; elsewhere neither minds the other."""
    inference = Needs(inference=True)
    with contextlib.closing(Local(4, inference="auto")) as on_gpu:
        monkeypatch.setattr(on_gpu._inference, "here", {INFERENCE_DEVICE: "NVIDIA L4 (8.9), CUDA"})
        for executor, room in ((local, True), (on_gpu, False)):
            executor.start(call(tmp_path, GPU_BUILD, name=f"build {room}"))

            assert room == executor.has_room(inference)
    assert on_gpu._fill_in(inference).own_process  # memory of the GPU returns with the process


def test_another_trtbuild_leaves_the_gpu_alone_too(local):
    """Two applies at once in two terminals: the second waits with its builds for that GPU."""
    assert local.has_room(GPU_BUILD.needs())
    with contextlib.closing(Local(4)) as other:
        assert not other.has_room(GPU_BUILD.needs())
        assert other.has_room(QUICK.needs())
        local.close()
        assert other.has_room(GPU_BUILD.needs())


def test_memory_that_is_known_is_shared_out(local, tmp_path, monkeypatch):
    """A step that needs more than there is runs alone, and not never."""
    large = QUICK.model_copy()
    monkeypatch.setattr(type(large), "needs", lambda _: Needs(memory_bytes=1 << 60))

    assert local.has_room(large.needs())
    local.start(call(tmp_path, large))
    assert not local.has_room(Needs(memory_bytes=1))


def test_no_more_run_than_there_are_jobs(tmp_path):
    """The fifth waits."""
    with contextlib.closing(Local(1)) as one:
        one.start(call(tmp_path))
        assert not one.has_room(QUICK.needs())


def test_a_worker_that_is_done_takes_the_next_step(local, tmp_path):
    """It need not import its libraries anew."""
    places = []
    for name in ("one", "two"):
        local.start(call(tmp_path, name=name))
        told = ended(local)
        assert "" == told.message
        places.append(told.where)

    assert places[0] == places[1]


def test_a_worker_that_ran_foreign_code_ends_with_its_step(local, tmp_path, monkeypatch):
    """Its modules, memory and GPU are gone with it."""
    local.start(call(tmp_path, ENGINE, "one"))
    first = ended(local)
    local.start(call(tmp_path, ENGINE, "two"))

    assert first.where != ended(local).where


def test_one_kind_of_target_never_gets_the_worker_of_another(local, tmp_path):
    """A process can load one TensorRT alone."""
    local.start(call(tmp_path, name="one"))
    first = ended(local)
    local.start(call(tmp_path, RTX_BUILD, "two"))

    assert first.where != ended(local).where


def test_a_step_logs_into_its_own_file(local, tmp_path, capfd):
    """Whichever process it shares; nothing of it is said to whoever waits."""
    for name in ("one", "two"):
        step = ImportRanges(model=Ref(step="m", output="model"), table=_pin(tmp_path / name))
        local.start(call(tmp_path, step, name))
        assert ended(local).message

    assert ("", "") == capfd.readouterr()


def _pin(path: Path) -> Pinned:
    return Pinned(path=str(path), digest="sha256:0")


def test_a_worker_that_dies_is_told_and_the_next_step_gets_another(local, tmp_path):
    """The signal that ended it is named."""
    local.start(call(tmp_path, name="one"))
    pid = int(ended(local).where.removeprefix("process "))
    local.start(call(tmp_path, name="two"))
    os.kill(pid, signal.SIGKILL)
    local._begin()

    told = ended(local)

    assert told.message == "" or "SIGKILL" in told.message
    local.start(call(tmp_path, name="three"))
    assert "" == ended(local).message


def test_what_lies_where_the_command_is_typed_is_not_imported(local, tmp_path, monkeypatch):
    """Not a `json.py`, nor any other module of that name."""
    for name in ("json", "random", "queue", "pydantic"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nraise 1")
    monkeypatch.chdir(tmp_path)

    local.start(call(tmp_path))

    assert "" == ended(local).message
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("at", [0.0, 0.05, 0.3, 0.8])
def test_no_worker_outlives_its_parent(tmp_path, at):
    """Killed at whatever moment, even before the worker has come up."""
    program = tmp_path / "parent.py"
    program.write_text(
        "import sys, time\n"
        "from pathlib import Path\n"
        "from tests.run.test_local import Local, call\n"
        f"local = Local(2)\n"
        f"local.start(call(Path({str(tmp_path)!r})))\n"
        "local._begin()\n"
        "print(*[each.process.pid for each in local._running.values()], flush=True)\n"
        "time.sleep(60)\n"
    )
    root = str(Path(__file__).parents[2])
    parent = subprocess.Popen(
        [sys.executable, str(program)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": root},
    )
    pid = int(parent.stdout.readline())
    time.sleep(at)

    parent.kill()
    parent.wait()

    parent.stdout.close()
    deadline = time.monotonic() + 5
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not Path(f"/proc/{pid}").exists()


def test_a_worker_that_never_gets_ready_fails_its_step(local, tmp_path, monkeypatch):
    """A Python that holds an older trtbuild, which waits for another word: not for ever."""
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nread asked; sleep 60\n")
    python.chmod(0o755)
    monkeypatch.setattr(module.sys, "executable", str(python))
    monkeypatch.setattr(process_module, "READY_SECONDS", 0.05)
    local.start(call(tmp_path))

    told = ended(local)

    assert 4 == told.code
    assert "said nothing for 0.05 seconds before it was ready" in told.message
