"""A model of another framework is named, with the tool that makes ONNX of it."""

from __future__ import annotations

import zipfile

import pytest

from tests.helpers.models import model_of
from trtbuild.core.errors import StepInputError
from trtbuild.sources.foreign import FORMATS, find_format, hint_for_kind
from trtbuild.sources.onnx import Onnx


def refused(base, name):
    """Return what a recipe is told that gives it as ONNX."""
    with pytest.raises(StepInputError) as caught:
        Onnx(kind="onnx", path=name).find_files(base)
    return f"{caught.value.message}; {caught.value.hint}"


@pytest.mark.parametrize(
    ("name", "content", "wanted"),
    [
        ("net.pb", b"\x0a\x0bgraph def", "tf2onnx.convert --graphdef net.pb"),
        ("saved_model.pb", b"\x08\x01\x12\x03", "a SavedModel of TensorFlow"),
        ("net.h5", b"\x89HDF\r\n\x1a\n and more", "a model of Keras"),
        ("renamed.onnx", b"\x89HDF\r\n\x1a\n and more", "a model of Keras"),
        ("net.tflite", b"\x1c\0\0\0TFL3 and more", "tf2onnx.convert --tflite net.tflite"),
        ("model.bin.onnx", b"\x1c\0\0\0TFL3 and more", "TensorFlow Lite"),
        ("net.engine", b"ftrt and more", "an engine of TensorRT"),
        ("net.plan", b"anything", "name the ONNX file that it was built from"),
        ("net.xml", b"<?xml version='1.0'?>", "a model of OpenVINO"),
        ("net.mlmodel", b"\x08\x04\x12", "a model of Core ML"),
        ("net.pdmodel", b"\x0a\x01a", "paddle2onnx"),
        ("net.msgpack", b"\x82", "jax2onnx"),
        ("net.safetensors", b"\x10\0\0\0\0\0\0\0{", "no model"),
        ("old.pt", b"\x80\x02\x8a\x0a", "write `kind: torch`"),
        ("old.onnx", b"\x80\x02\x8a\x0a", "a file of PyTorch"),
    ],
)
def test_a_file_of_another_form_is_named(tmp_path, name, content, wanted):
    """By what it holds, or else by its name."""
    (tmp_path / name).write_bytes(content)

    assert wanted in refused(tmp_path, name)


@pytest.mark.parametrize(
    ("name", "member", "wanted"),
    [
        ("net.keras", "config.json", "a model of Keras"),
        ("net.pt", "net/constants.pkl", "torch.jit.load('net.pt')"),
        ("net.pt", "net/data.pkl", "a file of PyTorch"),
        ("net.zip", "net.onnx", "unpack it"),
    ],
)
def test_archives_are_told_apart(tmp_path, name, member, wanted):
    """Keras, TorchScript and `torch.save` all write the same sort."""
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        archive.writestr(member, "{}")

    assert wanted in refused(tmp_path, name)


@pytest.mark.parametrize(
    ("member", "wanted"),
    [
        ("saved_model.pb", "tf2onnx.convert --saved-model net"),
        ("config.json", "write `kind: huggingface` with `path: net`"),
        ("inference.pdmodel", "paddle2onnx"),
        ("_CHECKPOINT_METADATA", "a checkpoint of JAX"),
    ],
)
def test_a_folder_is_told_by_what_is_in_it(tmp_path, member, wanted):
    """Frameworks that write folders have files of their own there."""
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / member).write_text("{}")

    assert wanted in refused(tmp_path, "net")


@pytest.mark.parametrize("name", ["net.onnx", "net", "net.pb", "net.model"])
def test_onnx_is_onnx_whatever_it_is_called(tmp_path, name):
    """Some tools write `.pb`."""
    model = model_of("g (float[N] x) => (float[N] y) { y = Relu(x) }")
    (tmp_path / name).write_bytes(model.SerializeToString())

    assert (tmp_path / name,) == Onnx(kind="onnx", path=name).find_files(tmp_path)


def test_what_is_not_there_has_no_form(tmp_path):
    """Whoever wants to read it says so."""
    assert find_format(tmp_path / "net.h5") is None


@pytest.mark.parametrize("word", ["tensorflow", "keras", "JAX", "coreml", "openvino", "paddle"])
def test_a_framework_written_as_a_kind_has_a_way(word):
    """`kind: keras` is what many write first."""
    assert hint_for_kind(word)


def test_every_way_can_be_written_out():
    """Braces in it are those of the path, or doubled."""
    assert all(each.way.format(path="net") for each in FORMATS)
