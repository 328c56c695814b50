"""Layers with a type of their own."""

from __future__ import annotations

from tests.helpers.sorts import save_sort
from trtbuild import api
from trtbuild.recipe.load import load_recipe


def test_types_of_layers_are_exceptions(tmp_path, monkeypatch):
    """fp32 stays out of 16 bits too; what is for all layers is said for all."""
    monkeypatch.chdir(tmp_path)
    save_sort("cnn", tmp_path)
    made = api.init(
        command=(
            "trtexec",
            "trtexec --onnx=cnn.onnx --int8 --layerPrecisions=*:int8,Conv_c:fp32,Conv_d:fp16",
        )
    )
    section = load_recipe(made.file).recipe.quantization

    assert {"Conv_c": "fp32"} == section.precision
    assert ("Conv_d",) == section.skip
    assert ["no counterpart: *:int8: `quantization` says what the rest computes in"] == [
        *made.notes
    ]
