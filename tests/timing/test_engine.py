"""Engines as what is timed, on a double of TensorRT; no engine was ever timed on a GPU here."""

from __future__ import annotations

import json

import pytest

from tests.conftest import GOLDEN
from tests.helpers.bindings import Unavailable, cuda_runtime
from tests.helpers.typed_double import run_double
from trtbuild.core.digest import digest_of_file
from trtbuild.steps.time_runners import MeasuredSpeed
from trtbuild.timing.base import Setting, TimedModel
from trtbuild.timing.engine import Engine

KINDS = ["tensorrt10", "tensorrt11"]
TENSORS = {
    "x": {"mode": "INPUT", "shape": [-1, 2], "profiles": [[[1, 2]] * 3, [[2, 2], [4, 2], [8, 2]]]},
    "y": {"mode": "OUTPUT", "dtype": "FLOAT", "shape": [-1, 2]},
}


@pytest.fixture(scope="session")
def cuda(tmp_path_factory):
    try:
        return cuda_runtime(tmp_path_factory.mktemp("cuda"))
    except Unavailable as reason:
        pytest.skip(str(reason))


@pytest.fixture
def timed(cuda, tmp_path):
    """Have the double time an engine; returns what was measured, the message and the calls."""

    def run(kind, *batches, **order):
        (tmp_path / "e.engine").write_bytes(b"engine")
        (tmp_path / "out").mkdir(exist_ok=True)
        path = tmp_path / "e.engine"
        pinned = {"path": str(path), "digest": digest_of_file(path)}
        protocol = {"iterations": 16, "rounds": 8, "warmup_seconds": 0.0, "streams": [1, 2]}
        step = {
            "kind": "time_runners",
            "flavour": kind,
            "subjects": [{"name": "t", "sort": "engine", "flavour": kind, "model": pinned}],
            "runners": [{"kind": "engine"}],
            "timings": {"protocol": protocol, "shapes": [{"x": [n, 2]} for n in batches]},
        }
        call = {"name": "time", "step": step, "inputs": {}, "out": str(tmp_path / "out"),
                "log": str(tmp_path / "log")}  # fmt: skip
        surface = str(GOLDEN / "bindings" / f"{kind}.json")
        found = run_double(
            tmp_path, libraries=cuda, surface=surface, target={"kind": kind}, step=call,
            tensors=TENSORS, **order,
        )  # fmt: skip
        file = tmp_path / "out/speed.json"
        speed = MeasuredSpeed.read_json(file.read_bytes(), what="it") if file.is_file() else None
        return speed, found["report"], found["told"]

    return run


@pytest.mark.parametrize("kind", KINDS)
def test_an_engine_is_timed_at_fixed_addresses(timed, kind):
    """By the profile that takes the shapes; inputs and outputs are placed once for all calls."""
    speed, report, told = timed(kind, 3)
    (row,) = speed.rows

    assert "" == report["message"]
    assert ("t/engine", 32, 2) == (row.variant, row.host.calls, row.streams[0].streams)
    assert 32 == row.transfers.calls
    assert any("set_optimization_profile_async(1, " in line for line in told)
    calls = [line.partition("(")[0] for line in told if "IExecutionContext" in line]
    assert calls.count("IExecutionContext.execute_async_v3") > 64
    # Of the engine itself and two more callers.
    assert 3 * 2 == calls.count("IExecutionContext.set_tensor_address")


@pytest.mark.parametrize("kind", KINDS)
def test_layers_are_told_by_the_engines_own_profiler(timed, kind):
    """With what its inspector says of them; the profiler comes after all that is timed."""
    inspector = {"Layers": [
        {"Name": "a + b", "LayerType": "conv", "Inputs": [{"Datatype": "Int8"}],
         "Weights": {"Type": "Int8"}, "Outputs": []},
        {"Name": "c", "LayerType": "kgen", "Inputs": [{"Datatype": "Float"}], "Outputs": []},
        {"Name": "r", "LayerType": "Reformat", "Inputs": [{"Datatype": "Float"}], "Outputs": []},
    ]}  # fmt: skip
    layers = {"a + b": 0.25, "c": 0.5, "r": 0.125, "gone": 0.125}
    speed, _, told = timed(kind, 1, layers=layers, inspector=inspector)
    (found,) = speed.layers.profiles

    assert [
        ("c", "fp32", 0.5), ("a + b", "int8", 0.25), ("r", "conversion", 0.125),
        ("gone", "", 0.125),
    ] == [(each.name, each.delivered, each.share) for each in found.layers]  # fmt: skip
    assert ("t/engine", 1.0) == (found.variant, found.total_ms)
    assert found.remarks == ("turning types and layouts into others takes 12.5 % of the time",)
    runs = [place for place, line in enumerate(told) if "execute_async_v3" in line]
    (profiler,) = (place for place, line in enumerate(told) if ".profiler = " in line)
    assert found.calls + 3 == sum(place > profiler for place in runs)


def test_shapes_that_no_profile_takes_are_named(timed):
    """And the rest goes on."""
    speed, report, _ = timed("tensorrt11", 9, 1)

    assert "" == report["message"]

    assert [1] == [row.shapes["x"][0] for row in speed.rows]
    assert "no profile of the engine takes `x` [9, 2]" in speed.not_run[0].reason


def test_an_engine_that_does_not_load_or_run_is_quoted(timed):
    """It is not run, and why."""
    said = "The engine plan file is generated on an incompatible device"
    refused, _, _ = timed("tensorrt10", 1, foreign=said)
    failed, _, _ = timed("tensorrt10", 1, run_fails=True)

    assert f"TensorRT 10 refuses the engine: {said}" in refused.not_run[0].reason
    assert "the engine did not run on these inputs" in failed.not_run[0].reason


def test_it_is_for_engines_on_a_gpu():
    """Whether one runs here is asked before."""
    (kind,) = Engine.usual()

    assert ("engine", "gpu", "") == (
        kind.label(), kind.place(), kind.find_hindrance(None, Setting(threads=1)),
    )  # fmt: skip
    assert kind.takes(TimedModel("t", "engine", None))
    assert not kind.takes(TimedModel("t", "onnx", None))
    assert json.loads(kind.model_dump_json()) == {"kind": "engine"}
