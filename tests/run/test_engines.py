"""Engines loaded in processes of their own: what comes of one that cannot be is an answer."""

from __future__ import annotations

import contextlib
import sys

import pytest

from tests.helpers.executors import Recording
from trtbuild.core.errors import StepFailed
from trtbuild.machine.interpreters import name_variable
from trtbuild.machine.places import Place
from trtbuild.run.engines import describe_engine, find_gpu_place
from trtbuild.run.local import Local


@pytest.fixture
def engine(tmp_path):
    """A file that is no engine."""
    path = tmp_path / "model.engine"
    path.write_bytes(b"no engine")
    return path


@pytest.fixture
def executor():
    with contextlib.closing(Local(1)) as local:
        yield local


def test_what_an_engine_lacks_is_told():
    """Its TensorRT, and then a GPU."""
    packages = {"tensorrt": "10.16.1.11", "polygraphy": "0.53.6"}

    assert "not installed" in find_gpu_place("tensorrt10", Recording(facts={})).hindrance
    assert "no NVIDIA GPU" in find_gpu_place("tensorrt10", Recording(facts=packages)).hindrance


def test_what_tensorrt_does_not_load_is_an_error_with_its_words(engine, executor):
    """Here without a driver: the runtime that is installed says so, and no traceback."""
    pytest.importorskip("tensorrt_rtx_bindings")

    with pytest.raises(StepFailed) as caught:
        describe_engine("tensorrt_rtx", engine, executor)

    assert caught.value.code in (3, 4)
    assert "TensorRT-RTX" in caught.value.message


def test_a_tensorrt_that_is_not_installed_is_an_error(engine, executor):
    """Exit code 4, with what installs it."""
    with pytest.raises(StepFailed, match="TensorRT 11 cannot be loaded") as caught:
        describe_engine("tensorrt11", engine, executor)

    assert (4, "trt11" in caught.value.hint) == (caught.value.code, True)


def test_a_crash_stays_in_its_process(engine, tmp_path, monkeypatch, executor):
    """And is told as the signal that it was."""
    python = tmp_path / "crashing"
    python.write_text("#!/bin/sh\necho its last words\nkill -SEGV $$\n")
    python.chmod(0o755)
    monkeypatch.setattr(Local, "place", lambda *_: Place({}, python=str(python)))

    with pytest.raises(StepFailed, match="SIGSEGV") as caught:
        describe_engine("tensorrt10", engine, executor)

    assert "its last words" in caught.value.hint


def test_it_runs_under_the_python_that_is_named(engine, tmp_path, monkeypatch, executor):
    """As a build does."""
    python, seen = tmp_path / "other", tmp_path / "seen"
    python.write_text(f'#!/bin/sh\necho "$*" > {seen}\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    monkeypatch.setenv(name_variable("tensorrt11"), str(python))

    with pytest.raises(StepFailed):
        describe_engine("tensorrt11", engine, executor)

    assert "trtbuild.run.worker" in seen.read_text()
