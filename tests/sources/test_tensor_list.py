"""Names and shapes of weights are read without their values."""

from __future__ import annotations

import json
import struct

import pytest

from trtbuild.core.errors import MissingFile, StepInputError
from trtbuild.sources.tensor_list import list_tensors


def write_header(path, **shapes):
    """Write a file of safetensors without any data."""
    plain = {"dtype": "F32", "data_offsets": [0, 0]}
    listed = {name: {**plain, "shape": shape} for name, shape in shapes.items()}
    header = json.dumps({"__metadata__": {"format": "pt"}, **listed}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header)


def test_a_header_of_safetensors_is_enough(tmp_path):
    """Alone, and in several files by their index."""
    write_header(tmp_path / "1.safetensors", a=[2, 3], b=[])
    write_header(tmp_path / "2.safetensors", c=[4])
    index = {"weight_map": {"a": "1.safetensors", "b": "1.safetensors", "c": "2.safetensors"}}
    (tmp_path / "w.safetensors.index.json").write_text(json.dumps(index))

    assert {"a": (2, 3), "b": ()} == list_tensors(tmp_path / "1.safetensors")
    assert {"a": (2, 3), "b": (), "c": (4,)} == list_tensors(tmp_path / "w.safetensors.index.json")


def test_a_checkpoint_is_listed_by_its_entries(tmp_path):
    """Numbers beside the weights are none."""
    torch = pytest.importorskip("torch")
    content = {"state_dict": {"conv.weight": torch.zeros(2, 3)}, "epoch": 3}
    torch.save(content, tmp_path / "w.pt")

    assert {"state_dict.conv.weight": (2, 3)} == list_tensors(tmp_path / "w.pt")


def test_what_is_no_file_of_weights_is_refused(tmp_path):
    """Or is not there, or has a damaged header."""
    pytest.importorskip("torch")
    (tmp_path / "text.pt").write_text("hello")
    (tmp_path / "cut.safetensors").write_bytes(struct.pack("<Q", 50) + b'{"a": ')
    with pytest.raises(MissingFile):
        list_tensors(tmp_path / "gone.pt")
    for name, message in (("text.pt", "as weights"), ("cut.safetensors", "header is damaged")):
        with pytest.raises(StepInputError, match=message):
            list_tensors(tmp_path / name)
