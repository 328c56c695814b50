"""An ONNX file's structure, read off the wire."""

from __future__ import annotations

import contextlib
import tracemalloc

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, external_data_helper, helper, numpy_helper

from tests.helpers.models import model_of
from trtbuild.model.wire import FIELDS, Malformed, iterate_external_data

TINY = "tiny (float[N, 3] x) => (float[N, 3] y) <float[3] w = {1, 2, 3}> { y = Add(x, w) }"


def external(name: str, location: str, **entries: str) -> TensorProto:
    tensor = numpy_helper.from_array(np.zeros(4, np.float32), name)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, **entries}.items():
        tensor.external_data.add(key=key, value=value)
    return tensor


def saved(model, tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize("message", FIELDS)
def test_field_numbers_are_those_of_the_standard(message):
    """What the reader takes for a graph, a node or a tensor is one."""
    fields = getattr(onnx, message).DESCRIPTOR.fields_by_number
    stated = {number: fields[number].message_type.name for number in FIELDS[message]}

    assert stated == FIELDS[message]


def test_no_place_for_a_tensor_is_forgotten():
    """Every field of every message on the way that can hold a tensor is followed."""
    tensors = {"TensorProto", "SparseTensorProto"}
    for message, followed in FIELDS.items():
        for number, field in getattr(onnx, message).DESCRIPTOR.fields_by_number.items():
            if field.message_type and field.message_type.name in tensors | FIELDS.keys():
                assert number in followed, f"{message}.{field.name}"


def test_a_model_with_its_data_inside_needs_nothing_else(tmp_path):
    """A plain model names no external data."""
    assert [] == list(iterate_external_data(saved(model_of(TINY), tmp_path)))


def test_external_data_is_found_wherever_a_tensor_may_be(tmp_path):
    """Initializers, node attributes, subgraphs and sparse tensors all count."""
    branch = helper.make_graph([], "branch", [], [], [external("inner", "b.bin")])
    node = helper.make_node("If", ["c"], ["y"], then_branch=branch)
    constant = helper.make_node("Constant", [], ["k"], value=external("attribute", "c.bin"))
    model = helper.make_model(helper.make_graph([constant, node], "g", [], []))
    model.graph.initializer.append(external("w", "a.bin", offset="8", length="16"))
    model.graph.sparse_initializer.add(values=external("s", "d.bin"))

    found = dict(iterate_external_data(saved(model, tmp_path)))

    assert {"w": "a.bin", "inner": "b.bin", "attribute": "c.bin", "s": "d.bin"} == {
        name: entries["location"] for name, entries in found.items()
    }
    assert ("8", "16") == (found["w"]["offset"], found["w"]["length"])


def test_what_onnx_writes_is_what_is_found(tmp_path):
    """The library's own external data is read back as it was written."""
    weights = {f"w{i}": np.full((300,), i, np.float32) for i in range(3)}
    model = model_of(
        "g (float[300] x) => (float[300] y) {a=Add(x,w0) b=Add(a,w1) y=Add(b,w2)}", weights
    )
    path = tmp_path / "model.onnx"
    onnx.save(model, path, save_as_external_data=True, location="all.bin", size_threshold=0)
    stored = onnx.load(path, load_external_data=False).graph.initializer

    wanted = [(t.name, external_data_helper.ExternalDataInfo(t).location) for t in stored]

    assert wanted == [(name, entries["location"]) for name, entries in iterate_external_data(path)]


def test_weights_are_walked_over_not_read(tmp_path):
    """Finding out costs next to no memory, however large the weights."""
    big = {"w": np.zeros(16 << 20, np.uint8)}
    path = saved(model_of("g (uint8[N] x) => (uint8[N] y) { y = Add(x, w) }", big), tmp_path)
    tracemalloc.start()

    list(iterate_external_data(path))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 1 << 20


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_model_cut_off_says_so(tmp_path, share):
    """A half-copied file is told from a whole one."""
    path = saved(model_of(TINY), tmp_path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])

    with pytest.raises(Malformed):
        list(iterate_external_data(path))


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"%PDF-1.7\n", b"hello, world\n", b"\x08"])
def test_another_file_is_no_model(tmp_path, content):
    """Empty files, zeros and text are refused."""
    (tmp_path / "model.onnx").write_bytes(content)

    with pytest.raises(Malformed):
        list(iterate_external_data(tmp_path / "model.onnx"))


def test_nesting_without_end_is_refused(tmp_path):
    """A file made to exhaust the stack gets an error."""

    def field(number: int, content: bytes) -> bytes:
        size, length = len(content), b""
        while size >= 128:
            size, length = size >> 7, length + bytes([size & 127 | 128])
        return bytes([number << 3 | 2]) + length + bytes([size]) + content

    graph = b"location"
    graph = field(8, graph)
    for _ in range(1000):
        graph = field(1, field(5, field(6, graph)))  # node, attribute, graph
    (tmp_path / "model.onnx").write_bytes(b"\x08\x08" + field(7, graph))

    with pytest.raises(Malformed, match="nested"):
        list(iterate_external_data(tmp_path / "model.onnx"))


@given(st.binary(max_size=200), st.integers(0, 200))
def test_bytes_never_crash_the_reader(tmp_path_factory, noise, where):
    """Whatever a file holds, the answer is a list or Malformed."""
    data = model_of(TINY).SerializeToString()
    path = tmp_path_factory.mktemp("noise") / "model.onnx"
    path.write_bytes(data[:where] + noise + data[where + len(noise) :])

    with contextlib.suppress(Malformed):
        list(iterate_external_data(path))
