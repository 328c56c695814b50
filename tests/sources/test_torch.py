"""The recipe's section for a PyTorch module: its files, and what it is called."""

from __future__ import annotations

import json

import pytest

from tests.helpers.torch_models import tiny, write_source
from trtbuild.core.errors import MissingFile
from trtbuild.sources.torch import Torch


def test_weights_in_several_files_are_all_ingredients(tmp_path):
    """Their index is the file of weights, and the others are files of the model."""
    write_source(tmp_path)
    index = {"weight_map": {"stem.weight": "w-2.safetensors", "fc.bias": "w-1.safetensors"}}
    (tmp_path / "w.safetensors.index.json").write_text(json.dumps(index))
    source = Torch.model_validate_json(tiny(weights={"path": "w.safetensors.index.json"}))
    with pytest.raises(MissingFile, match=r"w-1\.safetensors: no such file"):
        source.find_files(tmp_path)
    for name in ("w-1.safetensors", "w-2.safetensors"):
        (tmp_path / name).write_bytes(b"")

    files = source.find_files(tmp_path)

    assert ["net.py", "w-1.safetensors", "w-2.safetensors"] == [each.name for each in files]


def test_it_says_what_it_is():
    """A report names the callable, and what it was exported as."""
    source = Torch.model_validate_json(tiny())

    assert ("net.py:tiny", "entrypoint") == (source.place, source.place_option)
    assert "torch net.py:tiny, opset 20" == source.describe()
