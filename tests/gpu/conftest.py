"""Real engines on a real GPU: skipped, with the reason, where there is none."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.helpers.trt_answers import RECORDED
from tests.helpers.trt_recorder import FLAVOURS, keep
from trtbuild.core.needs import GpuNeed, Needs
from trtbuild.machine.places import find_place

ROOT = RECORDED.parents[2]


def find_python(kind):
    """Return the Python in which a kind runs on this machine's GPU; skips where none does."""
    place = find_place(Needs(kind=kind, gpu=GpuNeed(), own_process=True))
    if place.hindrance:
        pytest.skip(f"{kind}: {place.hindrance}")
    return place.python or sys.executable


def ask(kind, folder, python=sys.executable):
    """Ask a TensorRT all that is asked of it, in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    command = [python, "-m", "tests.helpers.trt_recorder", kind, str(folder)]
    return subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="session", params=FLAVOURS)
def kind(request):
    """Each kind that can run here."""
    find_python(request.param)
    return request.param


@pytest.fixture(scope="session")
def answers(kind, tmp_path_factory, request):
    """The folder of what it answered, which `--record` keeps for the doubles."""
    folder = tmp_path_factory.mktemp(kind)
    ran = ask(kind, folder, find_python(kind))
    if request.config.getoption("--record") and (folder / "about.json").is_file():
        keep(folder, RECORDED)
    # A crash leaves the answers before it, and they are kept.
    assert 0 == ran.returncode, ran.stdout[-2000:] + ran.stderr[-2000:]
    return folder
