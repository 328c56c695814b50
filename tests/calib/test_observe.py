from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest

from tests.helpers.models import convolutions, model_of
from trtbuild.calib.observe import Observer, observing
from trtbuild.core.errors import StepInputError

RELU = "tiny (float[N, 3] x) => (float[N, 3] y) { a = Relu(x)  b = Sqrt(a)  y = Add(b, b) }"
BRANCHES = """
branches (float[1, 64] x) => (float[1, 64] y) {
    s = ReduceSum<keepdims = 0>(x)
    z = Constant<value = float {0.0}>()
    c = Greater(s, z)
    a = MatMul(x, w)
    y = If(c) <
        then_branch = yes () => (float[1, 64] p) { p = MatMul(a, w) },
        else_branch = no () => (float[1, 64] q) { q = MatMul(a, v) }
    >
}
"""
NORMED = """
normed (float16[1, 64] x) => (float16[1, 64] y) {
    a = MatMul(x, w)
    b = LayerNormalization(a, s, s)
    y = Relu(b)
}
"""


def weights(dtype, **shapes):
    rng = np.random.default_rng(5)
    return {name: rng.standard_normal(shape).astype(dtype) for name, shape in shapes.items()}


MODELS = {
    "convolutions": convolutions,
    "branches": lambda: model_of(BRANCHES, weights(np.float32, w=(64, 64), v=(64, 64))),
    "normed": lambda: model_of(NORMED, weights(np.float16, w=(64, 64), s=64)),
}


def image_of(model):
    value = model.graph.input[0].type.tensor_type
    shape = [each.dim_value or 1 for each in value.shape.dim]
    dtype = onnx.helper.tensor_dtype_to_np_dtype(value.elem_type)
    return np.random.default_rng(1).standard_normal(shape).astype(dtype)


def seen(observer, image):
    return {name: values.tobytes() for name, values in observer.values({"x": image})}


def as_written(model, names, image):
    """Return the input and what ONNX Runtime makes of a model with more outputs, and no more."""
    known = {value.name for value in model.graph.output}
    model.graph.output.extend(onnx.ValueInfoProto(name=n) for n in names if n not in known)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    made = dict(zip(names, session.run(names, {"x": image}), strict=True))
    return {n: v.astype(np.float32).tobytes() for n, v in {"x": image, **made}.items()}


@pytest.mark.parametrize("name", MODELS)
def test_each_tensor_is_what_the_model_computes(name):
    """Byte for byte."""
    image = image_of(MODELS[name]())
    with observing(MODELS[name](), ["x", "a", "y"], folder=Path()) as (observer, _):
        assert as_written(MODELS[name](), ["a", "y"], image) == seen(observer, image)


def test_others_open_the_same(tmp_path):
    """A second observer of the same files sees the same; the files go with the context."""
    image = image_of(convolutions())
    with observing(convolutions(), ["b"], folder=Path(), below=tmp_path) as (observer, _):
        assert seen(observer, image) == seen(Observer(observer.exposed), image)
        assert observer.exposed.model.is_relative_to(tmp_path)

    assert [] == list(tmp_path.iterdir())


def test_nothing_is_left_of_a_model_that_cannot_run(tmp_path):
    """What ONNX Runtime says of it stands in the error."""
    model = model_of(RELU)
    model.graph.node[0].op_type = "NoSuchOperator"
    model.graph.node[0].domain = "com.microsoft"
    model.opset_import.add(domain="com.microsoft", version=1)
    with (
        pytest.raises(StepInputError, match="NoSuchOperator"),
        observing(model, ["x"], folder=Path(), below=tmp_path),
    ):
        pass

    assert [] == list(tmp_path.iterdir())


def test_a_model_that_begins_with_a_plugin_cannot_be_observed():
    """Nothing is left of it that ONNX Runtime could run."""
    model = model_of("m (float[N, 2] x) => (float[N, 2] y) { [own] y = Own_TRT(x) }")
    with (
        pytest.raises(StepInputError, match="stands behind Own_TRT `own`"),
        observing(model, ["x"], folder=Path()),
    ):
        pass


def test_a_tensor_that_is_not_there_is_named():
    """Nothing is opened."""
    with (
        pytest.raises(StepInputError, match="the model has no tensor `q`"),
        observing(model_of(RELU), ["q"], folder=Path()),
    ):
        pass


def test_files_of_the_working_directory_are_no_matter(tmp_path, monkeypatch):
    """One called as the weights are, say."""
    monkeypatch.chdir(tmp_path)
    for name in ("weights", "model.onnx", "model.data"):
        Path(name).touch()
    with observing(convolutions(), ["b"], folder=Path()) as (observer, _):
        assert ("b",) == observer.tensors


@pytest.mark.parametrize(("size", "batch"), [("N", 1), ("4", 4)])
def test_a_fixed_batch_is_kept(size, batch):
    """The batch of the model is its own where it is fixed, and 1 where it is open."""
    with observing(model_of(RELU.replace("N", size)), ["x"], folder=Path()) as (_, feeder):
        assert batch == feeder.batch


def test_external_data_is_found_in_its_folder(tmp_path):
    """A model whose weights lie in a file of their own is observed like any other."""
    onnx.save(
        convolutions(), tmp_path / "net.onnx", save_as_external_data=True, location="net.data"
    )
    apart = onnx.load(tmp_path / "net.onnx", load_external_data=False)
    image = image_of(apart)
    with (
        observing(convolutions(), ["b"], folder=Path()) as (one, _),
        observing(apart, ["b"], folder=tmp_path) as (other, _),
    ):
        assert seen(one, image) == seen(other, image) == seen(Observer(other.exposed), image)
