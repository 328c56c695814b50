"""What a TensorRT answers: as it was recorded of a real one, else as is believed today.

The doubles answer with these, and the tests of what reads them start from them. What trtbuild rests
on in an answer is `EXPECTED`: it must hold for what is believed and for what a real one says.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trtbuild.backends.tensorrt.inspector import read_layers, report_delivered_by_inspector
from trtbuild.backends.tensorrt.messages import find_explanation
from trtbuild.backends.tensorrt.plan_header import read_header
from trtbuild.calib.trt_cache import cache_from_bytes
from trtbuild.core.records import RequestedLayer

RECORDED = Path(__file__).parents[1] / "gpu" / "recorded"
BELIEVED_IN = "believed"


@dataclass(frozen=True)
class Answer:
    """An answer, and where it is from: `believed`, or the folder of a recording."""

    value: Any
    source: str


def find_answer(kind, question, recorded=RECORDED):
    """Return what a kind answers to a question; the newest version's answer, if one is recorded.

    None where nothing is recorded and nothing believed.
    """
    folders = [path for path in recorded.glob(f"{kind}-*") if path.is_dir()]
    for folder in sorted(folders, key=_rank, reverse=True):
        for path in folder.glob(f"{question}.*"):
            value = path.read_bytes() if path.suffix == ".bin" else json.loads(path.read_text())
            return Answer(value, folder.name)
    believed = BELIEVED.get((kind, question))
    return None if believed is None else Answer(believed, BELIEVED_IN)


def _rank(folder):
    """Sort by version, and what a GPU answered after what was answered without one."""
    _, version, gpu = folder.name.split("-", 2)
    return [int(part) for part in version.split(".")], gpu != "no-gpu", gpu


def inner_tensor(kind):
    """Return how the parser calls the product within a Gemm called `fc`, before its bias."""
    layers = find_answer(kind, "network").value["layers"]
    (name,) = [each["outputs"][0] for each in layers if each["type"] == "MATRIX_MULTIPLY"]
    return name


def _inspected(tensor, rest):
    layer = {
        "Name": "layer",
        "LayerType": "CaskConvolution",
        "Inputs": [tensor("x_q", "Int8")],
        "Outputs": [tensor("y", "FP32")],
        "Weights": {"Type": "Int8", "Count": 576},
        "Metadata": "[ONNX Layer: layer]",
    }
    return {"Layers": [layer], **rest}


def _tensor_10(name, type_):
    return {"Name": name, "Format/Datatype": f"Row major linear {type_}"}


def _tensor_11(name, type_):
    return {"Name": name, "Format": "Row major linear", "Datatype": type_}


def _network():
    inner = "(Unnamed Layer* 1) [Matrix Multiply]_output"
    layers = [("act", "ACTIVATION", "x", "a"), ("fc", "MATRIX_MULTIPLY", "a", inner)]
    layers += [("fc", "ELEMENTWISE", inner, "y")]
    return {
        "inputs": ["x"],
        "outputs": ["y"],
        "layers": [
            {
                "name": name,
                "type": type_,
                "metadata": f"[ONNX Layer: {name}]",
                "inputs": [reads],
                "outputs": [makes],
            }
            for name, type_, reads, makes in layers
        ],
    }


_SAID = {
    "a zero point": "shiftIsAllZeros(zeroPoint): Non-zero zero point is not supported",
    "a negative scale": "Scale coefficients must all be positive",
    "an unknown operator": "creator && Plugin not found, are the plugin name and version correct?",
    "another version's engine": "Error Code 6: API Usage Error (The engine plan file is not "
    "compatible with this version of TensorRT, expecting library version 10.16.1.11)",
}
_FOREIGN = {
    **_SAID,
    "a foreign timing cache": "the timing cache was made by another version, or another GPU",
}
_IO_11 = {"I/O Tensors": [{"Name": "x", "IOMode": "Input", "DataType": "Float"}]}

BELIEVED = {
    ("tensorrt10", "network"): _network(),
    ("tensorrt11", "network"): _network(),
    ("tensorrt10", "inspector"): _inspected(_tensor_10, {"Bindings": ["x", "y"]}),
    ("tensorrt11", "inspector"): _inspected(_tensor_11, _IO_11),
    ("tensorrt10", "plan"): b"ftrt" + bytes(20) + bytes([10, 16, 1, 11]) + bytes(36),
    ("tensorrt11", "plan"): b"ftrt" + bytes(20) + bytes([11, 4, 0, 106]) + bytes(36),
    ("tensorrt_rtx", "plan"): b"vtrt"
    + bytes(4)
    + struct.pack("<QQ", 2, 1000)
    + bytes([1, 7, 1, 116])
    + b"vtrt"
    + struct.pack("<QQQQ", 8, 0, 0, 0),
    ("tensorrt10", "refusals"): {name: {"said": [text]} for name, text in _FOREIGN.items()},
    ("tensorrt11", "refusals"): {name: {"said": [text]} for name, text in _FOREIGN.items()},
    ("tensorrt_rtx", "refusals"): {name: {"said": [text]} for name, text in _SAID.items()},
    ("tensorrt10", "calibration"): b"TRT-101601-EntropyCalibration2\nx: 3c810204\na: 3c010204\n"
    b"(Unnamed Layer* 1) [Matrix Multiply]_output: 3c010204\ny: 3c010204\n",
}
"""Read off sources, documents and public files; no GPU was ever here."""

CAUSES = {
    "a zero point": "TensorRT quantizes symmetrically",
    "a negative scale": "a scale is 0, negative or NaN",
    "an unknown operator": "{op} is no ONNX operator TensorRT knows",
    "another version's engine": "another version of TensorRT wrote it",
    "a foreign timing cache": "it is of another GPU or version",
}


def expect_network(kind, answer):
    """Tensors of the model keep their names, and layers name the ONNX nodes they are of."""
    names = {name for each in answer["layers"] for name in (*each["inputs"], *each["outputs"])}
    assert {"x", "a", "y"} <= names
    nodes = "".join(each["metadata"] for each in answer["layers"])
    assert "[ONNX Layer: act]" in nodes
    assert "[ONNX Layer: fc]" in nodes
    assert any(each["type"] == "MATRIX_MULTIPLY" for each in answer["layers"])


def expect_plan(kind, answer):
    """The file says whose it is."""
    header = read_header(answer)
    assert header is not None
    assert kind == header.kind


def expect_inspector(kind, answer):
    """Of a layer with pairs on both operands it says that it is INT8."""
    layers = read_layers(json.dumps(answer))
    (told,) = report_delivered_by_inspector(
        [RequestedLayer(name="layer", op="Conv", precision="int8")], layers
    )
    assert ("int8", "") == (told.delivered, told.cause)


def expect_refusals(kind, answer):
    """Every refusal is explained by its own cause."""
    for name, told in answer.items():
        found = find_explanation(told["said"])
        assert found is not None, name
        assert found[0].cause.startswith(CAUSES[name]), (name, found)


def expect_calibration(kind, answer):
    """Its own table is read, with a scale for each tensor of the model."""
    read = cache_from_bytes(answer)
    assert "EntropyCalibration2" == read.algorithm
    assert {"x", "a", "y"} <= set(read.scales)


def expect_timing(kind, answer):
    """A build that times kernels leaves something to build from again."""
    assert answer


def expect_frozen(kind, answer):
    """From the timing cache alone the same kernels are chosen: level 1."""
    assert answer["first"]
    assert answer["first"] == answer["second"]


def expect_implicit(kind, answer):
    """With all ranges the layer is INT8; without, it says which tensor has none."""
    assert ["int8"] == answer["all"]["delivered"]
    assert any("have no range" in note for note in answer["one missing"]["notes"])


def expect_description(kind, answer):
    """Inputs and outputs have the model's names, types and sizes."""
    (taken,), (given,) = answer["inputs"], answer["outputs"]
    assert ("x", "float32", [1, 8, 8, 8]) == (taken["name"], taken["dtype"], taken["shape"])
    assert ("y", "float32") == (given["name"], given["dtype"])


def expect_run(kind, answer):
    """INT8 rounds as ONNX Runtime does, but for what TF32 and the order of sums make."""
    largest = max(map(abs, answer["model"]))
    off = max(abs(a - b) for a, b in zip(answer["engine"], answer["model"], strict=True))
    assert 0 == answer["profile"]
    assert off <= 0.01 * largest


EXPECTED = {
    name.removeprefix("expect_"): check
    for name, check in list(globals().items())
    if name.startswith("expect_")
}
"""What trtbuild rests on, by question."""
