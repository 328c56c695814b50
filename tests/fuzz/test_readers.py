"""A file with a few wrong bytes is refused in one sentence, or read: by every reader there is."""

from __future__ import annotations

import contextlib
import io
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.helpers.hostile import harmed, looked
from tests.helpers.projects import small_project
from trtbuild.core.errors import StepInputError, TrtbuildError

CACHE = b"TRT-101401-EntropyCalibration2\ninput: 3caa54fc\n(Unnamed Layer* 64)_output: 0\n"
TABLE = b'{"tensors": {"a": {"low": -1.0, "high": 2.0, "origin": "manual"}}, "samples": 4}\n'
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Valid files of every type."""
    place = tmp_path_factory.mktemp("valid")
    small_project(place)
    random = np.random.default_rng(1)
    np.save(place / "a.npy", random.normal(size=(4, 3)).astype(np.float32))
    np.savez_compressed(place / "packed.npz", input=random.integers(0, 9, (3, 2, 2)))
    (place / "old.cache").write_bytes(CACHE)
    (place / "ranges.json").write_bytes(TABLE)
    (place / "limits.txt").write_bytes(b"input: 2.5\na b: 1e-3\n")
    return place


def refused_or_read(read, path, data):
    """Whatever a reader raises is an expected error."""
    path.write_bytes(data)
    with contextlib.suppress(TrtbuildError):
        read(path)


def read_arrays(path):
    from tests.helpers.sources import source_of
    from trtbuild.data.arrays import read_array_file

    list(source_of('{"kind": "arrays", "path": "x"}').samples([path]))
    read_array_file(path)


def read_stored(path):
    from trtbuild.core.arrays import ArrayFile

    found = ArrayFile(path)
    for name in found.names:
        found.read(name)


def read_model(path):
    from trtbuild.model.onnx_file import find_model_files, read_onnx

    find_model_files(path)
    read_onnx(path)


def read_table(path):
    from trtbuild.verbs.found_ranges import read_table

    read_table(path)


def read_recipe(path):
    from trtbuild.recipe.load import load_recipe

    load_recipe(path)


def read_engine(path):
    from trtbuild.verbs.inspect import explain_misfit, find_engine_kind

    find_engine_kind(path)
    explain_misfit(path, {"gpu": "x (8.9)", "tensorrt": "10.16.1"})


READERS = {
    "calib.npz": read_arrays,
    "packed.npz": read_arrays,
    "a.npy": read_arrays,
    "model.onnx": read_model,
    "old.cache": read_table,
    "ranges.json": read_table,
    "limits.txt": read_table,
    "recipe.yaml": read_recipe,
}


@pytest.mark.parametrize("name", READERS)
@looked(20)
@given(data=st.data())
def test_a_damaged_file_is_refused_or_read(folder, name, data):
    """Never anything but an expected error."""
    whole = (folder / name).read_bytes()

    refused_or_read(READERS[name], folder / f"x.{name}", data.draw(harmed(whole)))


@looked(20)
@given(data=st.data())
def test_a_damaged_file_of_the_store_is_refused_or_read(folder, data):
    """Its own arrays are mapped, not copied: what lies outside the file is never touched."""
    from trtbuild.core.arrays import write_npz

    path = folder / "stored.npz"
    if not path.exists():
        with write_npz(path) as writer:
            writer.add("a", np.arange(6, dtype=np.float32))

    refused_or_read(read_stored, folder / "x.npz", data.draw(harmed(path.read_bytes())))


@pytest.mark.parametrize("form", FORMATS)
@looked(12)
@given(data=st.data())
def test_a_damaged_picture_is_refused_or_decoded(form, data):
    """Pillow raises nearly anything; we raise one thing."""
    from PIL import Image

    from trtbuild.data.pixels import decode_image

    file = io.BytesIO()
    Image.linear_gradient("L").resize((16, 12)).convert("RGB").save(file, form)
    with contextlib.suppress(StepInputError):
        decode_image(data.draw(harmed(file.getvalue())), "x")


@pytest.mark.parametrize("form", ["safetensors", "pth", "old.pth"])
@looked(12)
@given(data=st.data())
def test_damaged_weights_are_refused_or_read(folder, form, data):
    """Both forms of torch.save, and safetensors."""
    import warnings

    import torch
    from safetensors.torch import save

    from trtbuild.sources.checkpoint import fit_weights
    from trtbuild.sources.weights import read_weights

    tensors = {"w": torch.arange(12.0).reshape(3, 4), "b": torch.ones(2)}
    file = io.BytesIO()
    torch.save(tensors, file, _use_new_zipfile_serialization=form != "old.pth")
    whole = save(tensors) if form == "safetensors" else file.getvalue()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's, of an odd pickle protocol
        refused_or_read(
            lambda path: fit_weights(read_weights(path), tensors, key=None, path=path),
            folder / "w",
            data.draw(harmed(whole)),
        )


@looked(30)
@given(data=st.data())
def test_a_damaged_engine_is_told_or_not_known(folder, data):
    """By its header alone; nothing is loaded."""
    from trtbuild.backends.tensorrt.plan_header import HEADER_BYTES

    whole = data.draw(st.sampled_from([b"ftrt", b"vtrt"])) + bytes(range(256)) * (
        HEADER_BYTES // 256 + 1
    )

    refused_or_read(read_engine, folder / "x.engine", data.draw(harmed(whole)))


@looked(30)
@given(text=st.binary(max_size=300))
def test_any_text_of_an_inspector_is_told_or_not_known(text):
    """What an engine's inspector says is TensorRT's, and changes with it."""
    from trtbuild.backends.tensorrt.inspector import read_layers

    read_layers(text.decode(errors="replace"))


@looked(30)
@given(
    tree=st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["Layers", "Name", "Inputs", "Weights", "Metadata", "Type"]), inner
            )
        ),
    )
)
def test_any_tree_of_an_inspector_is_told_or_not_known(tree):
    """JSON of another shape."""
    from trtbuild.backends.tensorrt.inspector import read_layers

    read_layers(json.dumps(tree))


@looked(30)
@given(data=st.binary(max_size=200))
def test_any_bytes_are_refused_by_the_wire_reader(folder, data):
    """It walks over Protocol Buffers by hand: every length it reads may be a lie."""
    from trtbuild.model.wire import Malformed, iterate_external_data

    path = folder / "wire.onnx"
    path.write_bytes(b"\x08\x08\x3a" + data)
    with contextlib.suppress(Malformed):
        list(iterate_external_data(path))
