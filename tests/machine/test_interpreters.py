"""Targets under another Python: found, asked, and run there."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.helpers.qdq import layer
from trtbuild import __version__, api
from trtbuild.cli import show
from trtbuild.core.errors import MissingDependency
from trtbuild.machine.config import ConfiguredPython
from trtbuild.machine.facts import InstalledPackages
from trtbuild.machine.interpreters import (
    Interpreter,
    find_configured_python,
    find_interpreter,
    name_variable,
)
from trtbuild.run.executor import QuietListener
from trtbuild.verbs.diagnose import diagnose_machine

RECIPE = """\
version: 1
name: small
model: {kind: onnx, path: m.onnx}
targets:
  rtx: {kind: tensorrt_rtx, compute_capabilities: [8.9]}
"""


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    """The recipe and its model, beside each other, and a store."""
    monkeypatch.setenv("TRTBUILD_STORE", str(tmp_path / "store"))
    (tmp_path / "m.onnx").write_bytes(layer().SerializeToString())
    (tmp_path / "r.yaml").write_text(RECIPE)
    return tmp_path / "r.yaml"


@pytest.fixture
def worker(tmp_path, monkeypatch):
    """Build TensorRT-RTX under a Python that runs a line of shell in the place of a worker."""

    def runs(line):
        python = tmp_path / "another-python"
        script = f'case "$*" in *worker*) {line};; esac'
        python.write_text(f'#!/bin/bash\n{script}\nexec {sys.executable} "$@"\n')
        python.chmod(0o755)
        monkeypatch.setenv(name_variable("tensorrt_rtx"), str(python))

    return runs


@pytest.fixture
def other(tmp_path, monkeypatch):
    """Another Python for TensorRT-RTX: this one, by another name that remembers its arguments."""
    python = tmp_path / "other-python"
    seen = tmp_path / "seen"
    python.write_text(f'#!/bin/sh\necho "$*" >> {seen}\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    monkeypatch.setenv(name_variable("tensorrt_rtx"), str(python))
    return python, seen


def test_without_a_word_everything_runs_under_this_python(monkeypatch):
    """The environment names one for a kind of target, and nothing else does."""
    monkeypatch.delenv(name_variable("tensorrt10"), raising=False)

    assert "TRTBUILD_PYTHON_TENSORRT10" == name_variable("tensorrt10")
    assert "" == find_interpreter("tensorrt10").python


def test_its_facts_are_its_own(other):
    """What is installed there, and its version, are asked of that Python."""
    found = find_interpreter("tensorrt_rtx")

    assert str(other[0]) == found.python
    assert InstalledPackages()["numpy"] == found.facts["numpy"]


def settings(tmp_path, monkeypatch, text):
    """Write the user's settings, where XDG_CONFIG_HOME says."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    path = tmp_path / "config/trtbuild/config.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return path


def test_the_settings_name_pythons_too(other, tmp_path, monkeypatch):
    """Whatever the recipe; and the environment wins over them."""
    python, _ = other
    monkeypatch.delenv(name_variable("tensorrt_rtx"))
    path = settings(
        tmp_path, monkeypatch, f"pythons:\n  tensorrt_rtx: {python}\n  tensorrt10: /ten\n"
    )
    monkeypatch.setenv(name_variable("tensorrt10"), "/another/ten")

    assert str(python) == find_interpreter("tensorrt_rtx").python
    assert ConfiguredPython("/another/ten", "TRTBUILD_PYTHON_TENSORRT10") == find_configured_python(
        "tensorrt10"
    )
    assert ConfiguredPython(str(python), f"{path}:2") == find_configured_python("tensorrt_rtx")


def test_a_python_of_the_settings_that_does_not_run_names_their_line(tmp_path, monkeypatch):
    """That is where it must be mended."""
    monkeypatch.delenv(name_variable("tensorrt11"), raising=False)
    path = settings(tmp_path, monkeypatch, "pythons:\n  tensorrt11: /no/such/python\n")

    with pytest.raises(MissingDependency, match=f"{path}:2 names `/no/such/python`"):
        find_interpreter("tensorrt11")


def test_doctor_looks_into_the_other_pythons(other, tmp_path, monkeypatch, capsys):
    """Which TensorRT each has, who names it, and why one cannot be used."""
    python, _ = other
    settings(tmp_path, monkeypatch, "pythons: {tensorrt11: /no/such/python}")
    monkeypatch.delenv(name_variable("tensorrt11"), raising=False)

    found = diagnose_machine(tmp_path)
    show.write_diagnosis(found)
    shown = capsys.readouterr().out

    rtx, eleven = (next(t for t in found.targets if t.kind == k) for k in found.pythons)
    assert ("tensorrt_rtx", "tensorrt11") == (rtx.kind, eleven.kind)
    assert InstalledPackages()["polygraphy"] == rtx.packages["polygraphy"]
    assert not eleven.builds
    assert f"under {python} (by {name_variable('tensorrt_rtx')}): " in shown
    assert "names `/no/such/python`, which does not run as a Python" in shown


@pytest.mark.parametrize("python", ["/no/such/python", "/bin/false", "/bin/ls"])
def test_what_is_no_python_is_an_error(monkeypatch, python):
    """It names the variable."""
    monkeypatch.setenv(name_variable("tensorrt11"), python)

    with pytest.raises(MissingDependency, match="TRTBUILD_PYTHON_TENSORRT11 names"):
        find_interpreter("tensorrt11")


def test_a_python_without_this_trtbuild_builds_nothing(tmp_path):
    """Steps cross as JSON, which both sides must read alike."""
    for place, version in {"old": "0.0.1", "same": __version__}.items():
        (tmp_path / place / f"trtbuild-{version}.dist-info").mkdir(parents=True)
    paths = ([str(tmp_path / place)] for place in ("bare", "old", "same"))
    bare, old, same = map(InstalledPackages, paths)

    assert "p has no trtbuild" in Interpreter("p", bare).hindrance
    assert "p has trtbuild 0.0.1" in Interpreter("p", old).hindrance
    assert "" == Interpreter("p", same).hindrance


def test_the_build_runs_there(other, recipe, tmp_path, monkeypatch):
    """And what comes of it is the engine of this Python, byte for byte; other steps stay here."""
    pytest.importorskip("tensorrt_rtx_bindings")
    _, seen = other
    engines = []
    for store in ("there", "here"):
        monkeypatch.setenv("TRTBUILD_STORE", str(tmp_path / store))
        api.apply(recipe, build_dir=tmp_path / store / "build")
        engines.append((tmp_path / store / "build/small/rtx/model.engine").read_bytes())
        monkeypatch.delenv(name_variable("tensorrt_rtx"), raising=False)
    workers = [line for line in seen.read_text().splitlines() if "run.worker" in line]

    assert 1 == len(workers)
    assert engines[0] == engines[1]


def test_a_crash_there_is_one_clear_error(recipe, worker, tmp_path):
    """A builder that dies of a signal: the step, the signal, and where its log is."""
    pytest.importorskip("tensorrt_rtx_bindings")
    from trtbuild.core.errors import StepFailed

    worker("kill -SEGV $$")

    with pytest.raises(StepFailed, match="was ended by SIGSEGV") as caught:
        api.apply(recipe, build_dir=tmp_path / "build")

    assert Path(caught.value.log).is_file()


def test_the_interrupt_key_ends_a_build(recipe, worker, tmp_path):
    """The builder's process ends with it; no engine is left, neither in the store nor beside."""
    pytest.importorskip("tensorrt_rtx_bindings")
    begun = tmp_path / "begun"
    worker(f"echo $$ > {begun}; exec sleep 60")

    class Interrupt(QuietListener):
        def started(self, name):
            if name == "build_engine(rtx)":
                threading.Thread(target=self.press, daemon=True).start()

        def press(self):
            while not begun.exists() or not begun.read_text():
                time.sleep(0.02)
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        api.apply(recipe, build_dir=tmp_path / "build", listener=Interrupt())

    with pytest.raises(ProcessLookupError):
        os.kill(int(begun.read_text()), 0)
    assert [] == list((tmp_path / "store/work").iterdir())
    assert not (tmp_path / "build/small/rtx").exists()


def test_a_build_that_hangs_is_ended(recipe, tmp_path):
    """After `timeout_seconds`, which is no ingredient of the engine."""
    pytest.importorskip("tensorrt_rtx_bindings")
    from trtbuild.core.errors import StepFailed

    recipe.write_text(RECIPE.replace("[8.9]", "[8.9], timeout_seconds: 0.05"))

    with pytest.raises(StepFailed, match=r"took longer than 0\.05 seconds"):
        api.apply(recipe, build_dir=tmp_path / "build")
    short = digest_of(recipe)
    recipe.write_text(RECIPE)

    assert short == digest_of(recipe)


def digest_of(recipe):
    planned = api.plan(recipe).plan.steps
    return next(step.digest for step in planned if step.name == "build_engine(rtx)")
