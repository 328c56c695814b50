"""Weights beside a model: mapped, added to, left out for the onnx library and put back."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from tests.helpers.models import model_of
from trtbuild.model.weights_file import (
    declare_weights,
    is_split,
    make_tensor,
    measure_tensor,
    read_values,
    refer_to_file,
    restore_weights,
    use_scratch,
    write_split,
)

WEIGHT = np.arange(10_000, dtype=np.float32).reshape(100, 100)
MODEL = "g (float[1, 100] x) => (float[1, 100] y) { y = MatMul(x, w) }"


@pytest.fixture
def split(tmp_path):
    """A model in memory whose weight lies in a file, behind 4096 bytes of something else."""
    (tmp_path / "data").write_bytes(bytes(4096) + WEIGHT.tobytes())
    model = model_of(MODEL, {"w": WEIGHT})
    refer_to_file(model.graph.initializer[0], str(tmp_path / "data"), 4096, WEIGHT.nbytes)
    return model


def test_values_come_from_the_file(split):
    """At their offset, in their type and shape."""
    assert np.array_equal(WEIGHT, read_values(split.graph.initializer[0]))


def test_the_library_sees_an_input_and_gives_the_weight_back(split):
    """The checker and the opset converter open no file; afterwards nothing is lost."""
    bare = declare_weights(split)
    onnx.checker.check_model(bare)
    found = restore_weights(onnx.version_converter.convert_version(bare, 18), split)

    assert ["x", "w"] == [value.name for value in bare.graph.input]
    assert ["x"] == [value.name for value in found.graph.input]
    assert np.array_equal(WEIGHT, read_values(found.graph.initializer[0]))
    assert 18 == found.opset_import[0].version


def test_new_weights_go_to_the_scratch_file_of_a_split_model(split, tmp_path):
    """Each at a multiple of 4096; small ones, and those made outside, stay in memory."""
    large = np.ones(20_000, np.int8)
    with use_scratch(tmp_path / "scratch", of=split):
        made = [make_tensor(values, "t") for values in (large, large + 1, large[:9])]

    assert [b"", b"", bytes([1] * 9)] == [tensor.raw_data for tensor in made]
    assert ["0", "20480"] == [tensor.external_data[1].value for tensor in made[:2]]
    assert [1, 2] == [read_values(tensor).max() for tensor in made[:2]]
    assert large.tobytes() == make_tensor(large, "t").raw_data


def test_weights_of_a_whole_model_stay_in_memory(tmp_path):
    """Even within the making of one that is split."""
    large = np.ones(20_000, np.int8)
    with use_scratch(tmp_path / "scratch", of=model_of(MODEL, {"w": WEIGHT})):
        made = make_tensor(large, "t")

    assert large.tobytes() == made.raw_data
    assert not (tmp_path / "scratch").exists()


def test_written_models_name_the_digest_of_their_weights(split, tmp_path):
    """One changed weight changes the model's own bytes, at equal sizes and places."""
    write_split(split, tmp_path / "a.onnx", tmp_path / "a.weights")
    other = model_of(MODEL, {"w": WEIGHT + 1})
    write_split(other, tmp_path / "b.onnx", tmp_path / "a.weights")
    read = [onnx.load(tmp_path / f"{name}.onnx", load_external_data=False) for name in "ab"]

    assert read[0].metadata_props[0].value != read[1].metadata_props[0].value
    assert all(map(is_split, read))


@pytest.mark.parametrize(
    ("kind", "values"),
    [("FLOAT16", [0.5] * 9000), ("FLOAT", [0.5] * 9000), ("INT64", [7] * 9000)],
)
def test_weights_held_as_lists_of_numbers_are_written_too(kind, values, tmp_path):
    """Some exporters write no raw bytes."""
    number = onnx.TensorProto.DataType.Value(kind)
    tensor = onnx.helper.make_tensor("w", number, [9000], values, raw=False)
    graph = onnx.helper.make_graph([], "g", [], [], [tensor])
    write_split(onnx.helper.make_model(graph), tmp_path / "m.onnx", tmp_path / "m.weights")
    (found,) = onnx.load(tmp_path / "m.onnx").graph.initializer

    assert measure_tensor(tensor) == (tmp_path / "m.weights").stat().st_size
    assert values == onnx.numpy_helper.to_array(found).tolist()
