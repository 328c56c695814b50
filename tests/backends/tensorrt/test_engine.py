"""Engines loaded and run through Polygraphy's TrtRunner, by a double; no GPU was ever here."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.conftest import GOLDEN
from trtbuild.backends.tensorrt.engine import EngineDescription
from trtbuild.core.arrays import ArrayFile
from trtbuild.core.digest import digest_of_file

KINDS = ["tensorrt10", "tensorrt11"]
OPEN = {"mode": "INPUT", "shape": [-1, 2], "profiles": [[[1, 2]] * 3, [[2, 2], [4, 2], [8, 2]]]}
TENSORS = {"x": OPEN, "y": {"mode": "OUTPUT", "dtype": "FLOAT", "shape": [-1, 2]}}
ONES = np.ones((3, 2), np.float32)


@pytest.fixture
def carried_out(double, cuda, tmp_path):
    """Have the double carry out one of the two steps; returns its report, outputs and calls."""

    def run(kind, step, *, feed=None, **order):
        engine, arrays = tmp_path / "e.engine", tmp_path / "x.npz"
        engine.write_bytes(b"engine")
        np.savez(arrays, **({"x": ONES} if feed is None else feed))
        call = {"kind": step, "flavour": kind, "engine": pinned(engine)}
        if step == "run_engine":
            call["feed"] = pinned(arrays)
        (tmp_path / "out").mkdir()
        found = double(
            kind,
            libraries=cuda,
            step={
                "name": step,
                "step": call,
                "inputs": {},
                "out": str(tmp_path / "out"),
                "log": str(tmp_path / "log"),
            },
            tensors=TENSORS,
            **order,
        )
        return found["report"], tmp_path / "out", found["told"]

    return run


def pinned(path):
    return {"path": str(path), "digest": digest_of_file(path)}


@pytest.mark.parametrize("kind", KINDS)
def test_an_engine_runs_by_the_profile_that_takes_the_inputs(carried_out, kind):
    """Three rows fit the second profile alone; the outputs are those of the device."""
    report, out, told = carried_out(kind, "run_engine")

    assert ("", ["profile 1"]) == (report["message"], list(report["notes"]))
    assert (2 * ONES == ArrayFile(out / "outputs.npz").read("y")).all()
    assert any("set_optimization_profile_async(1, " in line for line in told)
    assert "IExecutionContext.set_input_shape('x', (3, 2))" in told


@pytest.mark.parametrize("kind", KINDS)
def test_an_engine_says_what_it_takes_and_gives(carried_out, kind):
    """Open dimensions have no name in an engine; profiles are min, opt, max."""
    report, out, _ = carried_out(kind, "describe_engine")
    found = EngineDescription.model_validate_json((out / "description.json").read_bytes())

    assert "" == report["message"]
    assert [("x", "float32", ("?", 2))] == [(s.name, s.dtype, s.shape) for s in found.inputs]
    assert ["y"] == [spec.name for spec in found.outputs]
    assert ({"x": ((1, 2),) * 3}, {"x": ((2, 2), (4, 2), (8, 2))}) == found.profiles


@pytest.mark.parametrize(
    ("feed", "message"),
    [
        ({"x": ONES.repeat(3, axis=0)}, "no profile of the engine takes `x` [9, 2]"),
        ({"x": ONES[:, :1]}, "`x` is float32 [3, 1]; it must be float32 [?, 2]"),
        ({"z": ONES}, "`z` is no input of the engine, which has x"),
    ],
)
def test_arrays_that_fit_no_profile_are_named(carried_out, feed, message):
    """With what the engine takes; nothing is run."""
    report, _, told = carried_out("tensorrt10", "run_engine", feed=feed)

    assert report["message"].startswith(message)
    assert not any("execute" in line for line in told)


def test_an_engine_that_does_not_load_is_quoted(carried_out):
    """TensorRT's words for another GPU, and what to do."""
    said = "The engine plan file is generated on an incompatible device, expecting compute 8.9"

    report, _, _ = carried_out("tensorrt11", "describe_engine", foreign=said)

    assert (3, f"TensorRT 11 refuses the engine: {said}") == (report["code"], report["message"])
    assert "GPU" in report["hint"]


def test_without_a_gpu_the_error_says_so(carried_out):
    """Exit code 4: something that is needed is not here."""
    report, _, _ = carried_out("tensorrt10", "describe_engine", no_gpu=True)

    assert 4 == report["code"]
    assert "TensorRT 10 cannot start its runtime" in report["message"]


def test_a_run_that_fails_is_an_error(carried_out):
    """There are no outputs that look right."""
    report, _, _ = carried_out("tensorrt10", "run_engine", run_fails=True)

    assert "execute_async_v3" in report["message"]


def test_a_layout_that_polygraphy_does_not_unfold_is_an_error(carried_out):
    """A vectorized output would otherwise be taken for a plain array."""
    report, _, _ = carried_out("tensorrt10", "run_engine", formats={"y": "CHW32"})

    assert "output `y` lies in memory in a layout" in report["message"]


RUNNER = {
    "ICudaEngine": {
        "get_tensor_profile_shape": "get_tensor_profile_shape(self: ICudaEngine, name: str, "
        "profile_index: typing.SupportsInt) -> list[Dims]",
        "get_tensor_mode": "get_tensor_mode(self: ICudaEngine, name: str) -> TensorIOMode",
        "get_tensor_dtype": "get_tensor_dtype(self: ICudaEngine, name: str) -> DataType",
        "get_tensor_shape": "get_tensor_shape(self: ICudaEngine, name: str) -> Dims",
        "is_shape_inference_io": "is_shape_inference_io(self: ICudaEngine, name: str) -> bool",
        "num_io_tensors": "read only",
        "num_optimization_profiles": "read only",
    },
}


@pytest.mark.parametrize("kind", [*KINDS, "tensorrt_rtx"])
def test_what_is_asked_of_an_engine_is_in_the_real_bindings(kind):
    """Names and signatures, as they are written down."""
    found = json.loads((GOLDEN / f"bindings/{kind}.json").read_text())["classes"]

    for owner, attributes in RUNNER.items():
        for name, expected in attributes.items():
            actual = found[owner][name]
            assert expected in (actual if isinstance(actual, list) else [actual]), name
