"""Engines loaded in processes of their own: what comes of one that cannot be is an answer."""

from __future__ import annotations

import sys

import pytest
from tests.run.test_inspection import Facts

from trtbuild.core.errors import StepFailed
from trtbuild.machine.interpreters import Interpreter
from trtbuild.run.hardware import described, hindrance_of


@pytest.fixture
def engine(tmp_path):
    """A file that is no engine."""
    path = tmp_path / "model.engine"
    path.write_bytes(b"no engine")
    return path


def here(facts=None, python=""):
    return Interpreter(python, Facts(facts or {}))


def test_without_a_gpu_nothing_is_tried():
    """The driver is asked, and no TensorRT is loaded for it."""
    assert "no NVIDIA GPU" in hindrance_of("tensorrt10", here())
    assert "not installed" in hindrance_of("tensorrt10", here({"gpu": "NVIDIA L4 (8.9)"}))


def test_what_tensorrt_does_not_load_is_an_error_with_its_words(engine):
    """Here without a driver: the runtime that is installed says so, and no traceback."""
    pytest.importorskip("tensorrt_rtx_bindings")

    with pytest.raises(StepFailed) as caught:
        described("tensorrt_rtx", engine, here())

    assert caught.value.code in (3, 4)
    assert "TensorRT-RTX" in caught.value.message


def test_a_tensorrt_that_is_not_installed_is_an_error(engine):
    """Exit code 4, with what installs it."""
    with pytest.raises(StepFailed, match="TensorRT 11 cannot be loaded") as caught:
        described("tensorrt11", engine, here())

    assert (4, "trt11" in caught.value.hint) == (caught.value.code, True)


def test_a_crash_stays_in_its_process(engine, tmp_path):
    """And is told as the signal that it was."""
    python = tmp_path / "crashing"
    python.write_text("#!/bin/sh\necho its last words\nkill -SEGV $$\n")
    python.chmod(0o755)

    with pytest.raises(StepFailed, match="SIGSEGV") as caught:
        described("tensorrt10", engine, here(python=str(python)))

    assert "its last words" in caught.value.hint


def test_it_runs_under_the_python_that_is_named(engine, tmp_path):
    """As a build does."""
    python, seen = tmp_path / "other", tmp_path / "seen"
    python.write_text(f'#!/bin/sh\necho "$*" > {seen}\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)

    with pytest.raises(StepFailed):
        described("tensorrt11", engine, here(python=str(python)))

    assert "trtbuild.run.worker" in seen.read_text()
