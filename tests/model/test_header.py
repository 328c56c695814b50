"""The inputs of an ONNX file, before it is imported."""

from __future__ import annotations

import onnx
import pytest

from tests.helpers.models import model_of
from trtbuild.model.header import read_inputs
from trtbuild.model.signature import read_signature


@pytest.mark.parametrize(
    "text",
    [
        "g (float[N, 3, 8] x, int64[2] size) => (float[N, 3, 8] y) { y = Relu(x) }",
        "g (float[?, 3] x) => (float[?, 3] y) { y = Relu(x) }",
        "g (float x) => (float y) { y = Relu(x) }",
        "g (float[2] x, float[2] w = {1, 2}) => (float[2] y) { y = Add(x, w) }",
    ],
)
def test_inputs_are_those_of_the_signature(text, tmp_path):
    """Names and shapes, open dimensions called alike; constants are none."""
    model = model_of(text)
    onnx.save(model, tmp_path / "m.onnx")

    assert [(spec.name, spec.shape) for spec in read_signature(model).inputs] == [
        (spec.name, spec.shape) for spec in read_inputs(tmp_path / "m.onnx")
    ]


@pytest.mark.parametrize("unknown", ["?", "", "-1", "*", "None", "unk__1", "unknown", 0, -1])
def test_what_stands_for_unknown_is_no_name(unknown, tmp_path):
    """As the import has it: each such dimension is one of its own."""
    model = model_of("g (float[N, 3, H, W] x) => (float[N, 3, H, W] y) { y = Relu(x) }")
    for dim in model.graph.input[0].type.tensor_type.shape.dim[2:]:
        setattr(dim, "dim_param" if isinstance(unknown, str) else "dim_value", unknown)
    onnx.save(model, tmp_path / "m.onnx")

    assert ("N", 3, "x_dim_2", "x_dim_3") == read_inputs(tmp_path / "m.onnx")[0].shape


@pytest.mark.parametrize("data", [b"", b"no model", b"\x3a\xff"])
def test_what_is_no_model_has_none(data, tmp_path):
    """The import says what is wrong with it."""
    (tmp_path / "m.onnx").write_bytes(data)

    assert () == read_inputs(tmp_path / "m.onnx")
    assert () == read_inputs(tmp_path / "none.onnx")


def test_strings_are_known(tmp_path):
    """By NumPy's word for them; TensorRT has none."""
    onnx.save(model_of("g (string[N] x) => (string[N] y) { y = Identity(x) }"), tmp_path / "m.onnx")

    assert ["object"] == [spec.dtype for spec in read_inputs(tmp_path / "m.onnx")]
