"""Both layouts of the inspector's JSON, and what they say of a node."""

from __future__ import annotations

import json

import pytest

from trtbuild.backends.tensorrt.inspector import read_layers, report_delivered_by_inspector
from trtbuild.core.records import RequestedLayer

TYPES = {"int8": "Int8", "fp32": "FP32", "fp16": "FP16", "bf16": "BF16", "int32": "Int32"}


def tensors_10(*kinds):
    """Return tensors as TensorRT 10 describes them: format and type in one text."""
    return [
        {"Name": "t", "Location": "Device", "Format/Datatype": f"Row major linear {TYPES[kind]}"}
        for kind in kinds
    ]


def tensors_11(*kinds):
    """Return tensors as TensorRT 11 describes them: apart."""
    return [
        {"Name": "t", "Format": "Thirty-two wide channel vectorized", "Datatype": TYPES[kind]}
        for kind in kinds
    ]


LAYOUTS = {
    "10": (tensors_10, {"Bindings": ["x", "y"]}),
    "11": (tensors_11, {"I/O Tensors": [{"Name": "x", "IOMode": "Input", "DataType": "Float"}]}),
}


@pytest.fixture(params=LAYOUTS)
def told(request):
    """Say what is delivered for `conv`, by layers of (kind, inputs, weights, metadata)."""
    tensors, rest = LAYOUTS[request.param]

    def run(*layers, precision="int8"):
        made = []
        for kind, inputs, weights, metadata in layers:
            layer = {"Name": "engine layer", "LayerType": kind, "Metadata": metadata}
            layer["Inputs"], layer["Outputs"] = tensors(*inputs), tensors("fp32")
            if weights:
                layer["Weights"] = {"Type": TYPES[weights], "Count": 9}
            made.append(layer)
        found = read_layers(json.dumps({"Layers": made, **rest}))
        [only] = report_delivered_by_inspector(
            [RequestedLayer(name="conv", op="Conv", precision=precision)], found
        )
        return only.delivered, only.cause

    return run


HERE = "[ONNX Layer: conv]"


@pytest.mark.parametrize(
    ("layer", "delivered"),
    [
        (("CaskConvolution", ["int8"], "int8", HERE), "int8"),
        (("CaskConvolution", ["int8", "fp32"], "int8", f"{HERE}\x1e[ONNX Layer: add]"), "int8"),
        (("CaskConvolution", ["fp16"], "fp16", HERE), "fp16"),
        (("CaskConvolution", ["fp32"], "int8", HERE), "fp32"),
        (("gemm", ["int8", "int8"], "", HERE), "int8"),
        (("gemm", ["bf16", "bf16", "int32"], "", HERE), "bf16"),
        (("kgen", ["int8", "fp32"], "", HERE), "unknown"),
        (("Reformat", ["fp32"], "", HERE), "unknown"),
        (("CaskConvolution", ["int8"], "int8", "[ONNX Layer: other]"), "unknown"),
    ],
)
def test_a_layer_says_in_what_it_multiplies(told, layer, delivered):
    """By its weights and their operand; where these differ, in the float of the two."""
    assert delivered == told(layer)[0]


def test_of_several_layers_the_one_with_weights_counts(told):
    """What reads the same node's bias or its output's scale says nothing."""
    pointwise = ("PointWiseV2", ["fp32"], "", HERE)

    assert ("int8", "") == told(pointwise, ("CaskConvolution", ["int8"], "int8", HERE))


def test_int8_that_did_not_come_has_a_cause(told):
    """And what was delivered as asked has none."""
    layer = ("CaskConvolution", ["fp16"], "fp16", HERE)

    assert "float kernel" in told(layer)[1]
    assert "" == told(layer, precision="fp16")[1]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"Layers": ["conv", "relu"]}'])
def test_names_alone_say_nothing(text):
    """Less verbose engines list names; then it is not known, with the reason."""
    assert read_layers(text) is None

    [only] = report_delivered_by_inspector(
        [RequestedLayer(name="conv", op="Conv", precision="int8")], None, why_not="because"
    )
    assert ("unknown", "because") == (only.delivered, only.cause)


def test_without_metadata_the_layers_name_tells(told):
    """Fused layers are called `a + b`."""
    layers = read_layers(
        json.dumps({"Layers": [{"Name": "conv + relu", "Inputs": tensors_10("int8")}]})
    )

    [only] = report_delivered_by_inspector(
        [RequestedLayer(name="conv", op="Conv", precision="int8")], layers
    )
    assert "int8" == only.delivered
