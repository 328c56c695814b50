"""An ONNX model lies beside the recipe, or is published under a URL with its digest."""

from __future__ import annotations

import hashlib

import numpy as np
import onnx
import pytest
from pydantic import ValidationError

from tests.helpers.models import model_of
from trtbuild.core.errors import CorruptObject, MissingFile, StepInputError
from trtbuild.sources.onnx import Onnx
from trtbuild.sources.sizes import Sizes
from trtbuild.verbs.weights import resolve_weights

TEXT = "g (float[N, 3] x) => (float[N, 3] y) { y = Add(x, w) }"
WEIGHT = {"w": np.array([1, 2, 3], np.float32)}


def published(file, sha256=None):
    digest = sha256 or hashlib.sha256(file.read_bytes()).hexdigest()
    return Onnx(kind="onnx", url=f"file://{file}", sha256=digest)


@pytest.fixture
def file(tmp_path):
    (tmp_path / "net.onnx").write_bytes(model_of(TEXT, WEIGHT).SerializeToString())
    return tmp_path / "net.onnx"


def test_a_published_model_is_fetched_into_the_store(file, store, tmp_path):
    """It is no file of the recipe's, and the same model."""
    model = published(file)
    found, reason = resolve_weights(model, store, base=tmp_path)
    made = model.bring_in(tmp_path, store.object_path(found.digest), Sizes())

    assert ((), "") == (model.find_files(tmp_path), reason)
    assert ["Add"] == [node.op_type for node in made.model.graph.node]


def test_another_file_than_the_digest_says_is_refused(file, store, tmp_path):
    """Fetched or beside the recipe."""
    beside = Onnx(kind="onnx", path=str(file), sha256="a" * 64)
    for model in (published(file, "a" * 64), beside):
        with pytest.raises(CorruptObject, match=f"the recipe says {'a' * 64}"):
            resolve_weights(model, store, base=tmp_path)


def test_a_published_model_that_is_not_here_is_said(tmp_path, file):
    """By its URL."""
    with pytest.raises(MissingFile, match=f"file://{file}: is not here"):
        published(file).bring_in(tmp_path, None, Sizes())


def test_a_published_model_has_no_files_beside_it(tmp_path, file):
    """What is fetched is one file."""
    onnx.save(model_of(TEXT, WEIGHT), file, save_as_external_data=True, size_threshold=0,
              location="net.data")  # fmt: skip
    with pytest.raises(StepInputError, match=r"keeps weights in other files: net\.data"):
        published(file).bring_in(tmp_path, file, Sizes())


@pytest.mark.parametrize("content", [b"<!DOCTYPE html>", b"\x80\x02}"])
def test_what_comes_and_is_no_model_is_said_by_its_address(tmp_path, file, content):
    """A page, or a model of another form."""
    file.write_bytes(content)
    with pytest.raises(StepInputError, match=f"file://{file}: .*an ONNX model is needed"):
        published(file).bring_in(tmp_path, file, Sizes())


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"path": "a", "url": "https://x/y", "sha256": "0" * 64},
        {"url": "https://x/y"},
        {"url": "http://x/y", "sha256": "0" * 64},
    ],
)
def test_a_model_has_one_place(fields):
    """And one at a URL its digest."""
    with pytest.raises(ValidationError):
        Onnx(kind="onnx", **fields)
