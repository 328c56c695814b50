"""The part of a printed program that gives ranges: run here, over a network of plain Python."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from tests.helpers.networks import TRT, Layer, Network, tensors
from tests.helpers.qdq import relu_gemm
from trtbuild.backends.tensorrt.script_implicit import IMPORTS, ImplicitScript
from trtbuild.calib.trt_cache import cache_from_bytes
from trtbuild.quant.requests import PrecisionRequests

TABLE = {
    "tensors": {
        name: {"low": -limit, "high": limit / 2} for name, limit in [("x", 2.0), ("y", 4.0)]
    }
}


@pytest.fixture
def run(tmp_path):
    """Run the lines of a script, and have it give its ranges; returns its names and the network."""
    (tmp_path / "ranges.json").write_text(json.dumps(TABLE))

    def ran(**options):
        script = ImplicitScript(**{"as_cache": False, "skip": (), "precision": {}, **options})
        names = {
            "ranges": tmp_path / "ranges.json",
            "engine": tmp_path / "model.engine",
            "model": "model.onnx",
            "trt": TRT,
            "OnnxFromPath": lambda _: relu_gemm,
            "Calibrator": lambda data, **named: SimpleNamespace(data=data, **named),
        }
        exec(IMPORTS + script.write(), names)  # noqa: S102  # that is what it is for
        x, a, y = tensors("x", "a", "y")
        network = Network(
            [x], [Layer("ACTIVATION", [x], [a], node="act"), Layer("GEMM", [a], [y], node="fc")]
        )
        names["give_ranges"](network)
        return names, network

    return ran


def test_tensors_get_the_ranges_of_the_table(run):
    """Symmetric, by the end farther from 0; nothing is held back that nobody asked for."""
    names, network = run()

    assert (-2.0, 2.0) == network.get_input(0).dynamic_range
    assert (-4.0, 4.0) == network.get_layer(1).get_output(0).dynamic_range
    assert not any(hasattr(layer, "precision") for layer in network.layers)
    assert not {"write_cache", "stays_float"} & set(names)


def test_or_a_cache_that_tensorrt_reads(run, tmp_path):
    """With its version in the header, and scales bit for bit."""
    names, network = run(as_cache=True)
    cache = cache_from_bytes((tmp_path / "model.engine.calibration.cache").read_bytes())

    assert 101601 == cache.number
    assert {"x": 2 / 127, "y": 4 / 127} == pytest.approx(dict(cache.scales))
    assert not hasattr(network.get_input(0), "dynamic_range")
    assert [] == names["calibrator"].data


@pytest.mark.parametrize(
    ("skip", "precision"),
    [
        (("fc",), {}),
        (("op:Relu",), {}),
        ((), {"*": "fp32", "fc": "int8"}),
        ((), {"*": "fp32", "f*": "int8"}),
        ((), {"*c": "int8", "op:Gemm": "fp32"}),
        (("nothing",), {"act": "fp32"}),
    ],
)
def test_the_nodes_that_stay_float_are_those_of_a_build(run, skip, precision):
    """By the rule that quantization goes by, whichever of several patterns that lets count."""
    names, network = run(skip=skip, precision=precision)
    requests = PrecisionRequests(skip, precision)

    for name, op in (("act", "Relu"), ("fc", "Gemm")):
        assert bool(requests.object_to_quantizing(name, op)) == names["stays_float"](name, op)
    held = {layer.name for layer in network.layers if hasattr(layer, "precision")}
    assert names["floats"] == held


def test_int8_alone_holds_nothing_back():
    """It is what the ranges are for."""
    asking = ImplicitScript(as_cache=False, skip=(), precision={"fc": "int8"})

    assert not asking.has_requests
    assert "stays_float" not in asking.write()
