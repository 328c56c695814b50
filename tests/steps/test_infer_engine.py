"""An engine run over data, by a double of TensorRT; no GPU was ever here."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.steps.test_calibrate_natively import captured
from trtbuild.core.arrays import ArrayFile
from trtbuild.core.errors import StepInputError
from trtbuild.core.needs import GpuNeed
from trtbuild.core.values import TensorSpec
from trtbuild.steps.infer_engine import EngineRunner, InferEngine

GPU = "NVIDIA L4 (8.9)"
ROWS = np.arange(12, dtype=np.float32).reshape(6, 2)


def tensors(*profiles, dtype="FLOAT"):
    """Return an engine's input and output, and the batches that its profiles take."""
    shapes = [[[low, 2], [low, 2], [high, 2]] for low, high in profiles]
    return {
        "x": {"mode": "INPUT", "dtype": dtype, "shape": [-1, 2], "profiles": shapes},
        "y": {"mode": "OUTPUT", "dtype": "FLOAT", "shape": [-1, 2]},
    }


@pytest.fixture
def infer(double, cuda, tmp_path):
    """Have a double run its engine over six rows; returns the report, outputs' folder and calls."""

    def run(kind, *, rows=ROWS, engine=None, **order):
        np.savez(tmp_path / "c.npz", x=rows)
        data = captured(tmp_path)
        (tmp_path / "e.engine").write_bytes(b"engine")
        out = tmp_path / "out"
        out.mkdir()
        step = {
            "kind": "infer_engine",
            "flavour": kind,
            "engine": {"step": "build", "output": "engine"},
            "data": json.loads(data.model_dump_json()),
            "capability": "8.9",
        }
        inputs = {
            "build/engine": str(tmp_path / "e.engine"),
            "capture/manifest": str(tmp_path / "capture/manifest.json"),
            "capture/samples": str(tmp_path / "capture/samples.npz"),
        }
        call = {
            "name": "it",
            "step": step,
            "inputs": inputs,
            "out": str(out),
            "facts": {"gpu": GPU},
        }
        call["log"] = str(tmp_path / "log")
        order = {"tensors": tensors((1, 4)), **({"tensors": engine} if engine else {}), **order}
        found = double(kind, libraries=cuda, step=call, **order)
        return found["report"], out, found["told"]

    return run


@pytest.mark.parametrize(
    ("kind", "version"), [("tensorrt10", "10.16.1.11"), ("tensorrt11", "11.4.0.106")]
)
def test_an_engine_runs_over_every_sample(infer, kind, version):
    """One at a time, in order; what ran it stands beside the outputs."""
    report, out, told = infer(kind)

    assert ("", ()) == (report["message"], tuple(report["notes"]))
    assert (2 * ROWS == ArrayFile(out / "outputs.npz").read("y")).all()
    assert 6 == sum("execute_async_v3" in line for line in told)
    runner = EngineRunner.model_validate_json((out / "runner.json").read_text())
    assert f"TensorRT {version} on {GPU}" == runner.runner


@pytest.mark.parametrize(
    ("profiles", "runs"), [([(2, 8)], 3), ([(4, 8)], 1), ([(5, 8), (3, 4)], 2), ([(1, 1)], 6)]
)
def test_the_fewest_samples_at_once_that_fit(infer, profiles, runs):
    """Six samples: by two, by six (four leave a rest), by three of the second profile, by one."""
    report, out, told = infer("tensorrt10", engine=tensors(*profiles))

    assert "" == report["message"]
    assert (2 * ROWS == ArrayFile(out / "outputs.npz").read("y")).all()
    assert runs == sum("execute_async_v3" in line for line in told)
    batch = 6 // runs
    expected = [f"the engine was fed {batch} samples at once"] if batch > 1 else []
    assert expected == list(report["notes"])


def test_samples_that_make_no_batch_are_an_error(infer):
    """Nothing is padded; it says what would do."""
    report, _, told = infer("tensorrt10", engine=tensors((4, 5)))

    assert "takes 4 to 5 samples at once, and 6 samples do not divide" in report["message"]
    assert "begin at a batch of 1" in report["hint"]
    assert not any("execute" in line for line in told)


def test_an_engine_that_does_not_run_is_an_error(infer):
    """There are no outputs that look right."""
    report, _, _ = infer("tensorrt11", run_fails=True)

    assert "execute_async_v3" in report["message"]
    assert StepInputError.code == report["code"]


def test_an_engine_that_does_not_load_is_an_error(infer):
    """TensorRT is quoted, and what its words mean."""
    report, _, _ = infer("tensorrt10", foreign="Error Code 1: Cuda Runtime (out of memory)")

    assert "refuses the engine" in report["message"]
    assert "out of memory" in report["message"]
    assert "too little free memory" in report["hint"]
    assert StepInputError.code == report["code"]


def test_data_of_another_type_is_an_error(infer):
    """Floats are not made integers in silence."""
    report, _, _ = infer("tensorrt10", engine=tensors((1, 4), dtype="INT32"))

    assert "it must be int32" in report["message"]


def test_it_needs_its_own_gpu_and_names_it_as_a_fact():
    """The GPU is an ingredient; others may be on it, since nothing is timed."""
    step = InferEngine.model_construct(flavour="tensorrt10", capability="8.9")

    assert GpuNeed(capability="8.9") == step.needs().gpu
    assert ("tensorrt10", True) == (step.needs().kind, step.needs().own_process)
    assert ("tensorrt", "polygraphy", "gpu") == step.fact_names()


def test_an_input_with_a_fixed_batch_stays_as_it_is():
    """The engine's own batch, whatever the profiles are."""
    from trtbuild.backends.tensorrt.engine import EngineDescription
    from trtbuild.model.feeds import Feeder
    from trtbuild.steps.infer_engine import _choose_batch

    fixed = TensorSpec(name="x", dtype="float32", shape=(4, 2))
    engine = EngineDescription(inputs=(fixed,), outputs=(), profiles=({"x": ((4, 2),) * 3},))

    assert (fixed,) == tuple(_choose_batch(engine, Feeder([fixed]).placements, 8))
