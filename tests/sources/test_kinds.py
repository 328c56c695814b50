"""Model sections of a recipe: read strictly, described, and back to JSON."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from trtbuild.core.kinds import load_kinds
from trtbuild.core.options import describe_fields
from trtbuild.sources import ModelSource
from trtbuild.sources.huggingface import Huggingface
from trtbuild.sources.onnx import Onnx
from trtbuild.sources.torch import Torch
from trtbuild.sources.ultralytics import Ultralytics

MODEL = TypeAdapter(ModelSource)
TORCH = """{"kind": "torch", "entrypoint": "net.py:make", "inputs": {"x": {"shape": ["n", 3]}}%s}"""


@pytest.mark.parametrize(
    "text", ['{"kind": "onnx", "path": "m.onnx"}', TORCH % "", TORCH % ', "opset": 18, "seed": 3']
)
def test_a_section_survives_the_round_trip(text):
    """JSON to object to JSON to the same object."""
    model = MODEL.validate_json(text)

    assert model == MODEL.validate_json(model.model_dump_json())


@pytest.mark.parametrize(
    "more",
    [
        ', "opset": 12',
        ', "opset": "20"',
        ', "outputs": []',
        ', "outputs": [""]',
        ', "outputs": ["a", "a"]',
        ', "outputs": ["x"]',
        ', "without_weights": "guess"',
        ', "seed": -1',
        ', "weights": {}',
        ', "weights": {"url": "https://x/y"}',
        ', "weights": {"url": "http://x/y", "sha256": "%s"}' % ("0" * 64),
        ', "weights": {"path": "a", "sha256": "abc"}',
        ', "pickle": true',
    ],
)
def test_what_makes_no_sense_is_refused(more):
    """Before anything runs."""
    with pytest.raises(ValidationError):
        MODEL.validate_json(TORCH % more)


@pytest.mark.parametrize("shape", ['["batch size", 3]', "[0, 3]", "[-1, 3]", '["1", 3]', "[1.5]"])
def test_a_dimension_is_a_size_or_a_name(shape):
    """A name is one that PyTorch and ONNX both take."""
    with pytest.raises(ValidationError):
        MODEL.validate_json(TORCH.replace('["n", 3]', shape) % "")


@pytest.mark.parametrize("kind", [Onnx, Torch, Huggingface, Ultralytics])
def test_every_option_is_described(kind):
    """The recipe reference is made of these words."""
    assert set(kind.model_fields) - {"kind"} == set(describe_fields(kind))


def test_the_union_is_the_registry():
    """All kinds are in it."""
    assert {Huggingface, Onnx, Torch, Ultralytics} == set(load_kinds(ModelSource))
