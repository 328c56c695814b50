"""A model in the place of an engine: on which device, with which pictures, and what is said."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.models import model_of
from trtbuild.core.errors import MissingDependency, StepInputError
from trtbuild.data.on_gpu.finishing import PictureFinishing
from trtbuild.data.preprocess import Preprocess
from trtbuild.machine.facts import InstalledPackages
from trtbuild.model import gpu_feeding, session
from trtbuild.run.inline import Inline
from trtbuild.verbs.running.in_onnx_runtime import InOnnxRuntime

MODEL = "net (float[n, 3, 4, 4] x) => (float[n, 3, 4, 4] y) { y = Add(x, x) }"
ONES = {"x": np.ones((2, 3, 4, 4), np.float32)}
DEVICE = "NVIDIA L4 (8.9)"


@pytest.fixture
def make(tmp_path, monkeypatch):
    """A runner; where it is asked for, a GPU on which sessions do not open for want of memory."""

    def made(where, *, opens=True):
        (tmp_path / "m.onnx").write_bytes(model_of(MODEL).SerializeToString())
        executor = Inline(inference=where)
        monkeypatch.setattr(InstalledPackages, "_find_inference_device", lambda _: DEVICE)

        def load(model, options, providers):
            if len(providers) > 1 and not opens:
                raise StepInputError("Failed to allocate memory for requested buffer of size 8")
            return real(model, options, session.CPU)

        real = session._load
        monkeypatch.setattr(session, "_load", load)
        return InOnnxRuntime(tmp_path / "m.onnx", executor, profiles=(), remark="")

    return made


def test_where_the_gpu_s_memory_is_full_the_cpu_runs_it(make):
    """It says so."""
    runner = make("auto", opens=False)

    assert runner.takes_pictures
    assert (2 == runner.run(ONES)["y"]).all()
    told = runner.describe(ONES)
    assert "in ONNX Runtime on the CPU: not the engine itself" in told
    assert f"the memory of {DEVICE} was full" in told
    assert not runner.takes_pictures


def test_a_gpu_that_was_asked_for_by_name_is_not_left(make):
    """What it said is the error."""
    with pytest.raises(StepInputError, match="Failed to allocate"):
        make("cuda", opens=False).run(ONES)


def test_pictures_that_cannot_be_made_ready_there_are_here(make, monkeypatch):
    """Once that is seen, and it is said; the model still runs there."""

    def refuse(index):
        raise MissingDependency("kernels for the GPU cannot be compiled: no cuda-core")

    monkeypatch.setattr(gpu_feeding, "CudaWork", refuse)
    runner = make("auto")
    finishing = PictureFinishing(Preprocess(resize=(4, 4)))
    picture = np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8)
    found = runner.run({"x": finishing.leave(picture).stack()})["y"]

    assert (2 * finishing.on_cpu(picture) == found[0]).all()
    assert not runner.takes_pictures
    told = runner.describe(ONES)
    assert f"in ONNX Runtime on {DEVICE}" in told
    assert "pictures made ready on the CPU: kernels for the GPU cannot be compiled" in told
