"""An index of weights names files that lie beside it, and nothing else."""

from __future__ import annotations

import json

import pytest

from trtbuild.core.errors import StepInputError
from trtbuild.sources.shards import is_index, list_shards, read_index


def test_an_index_is_known_by_its_name():
    """As transformers and its kin write it."""
    assert [True, True, False] == [
        is_index(name)
        for name in ("model.safetensors.index.json", "pytorch_model.bin.index.json", "config.json")
    ]


def test_each_file_is_listed_once(tmp_path):
    """However many tensors it holds."""
    index = tmp_path / "w.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": {"a": "1", "b": "2", "c": "1"}}))
    for name in "12":
        (tmp_path / name).touch()

    assert (tmp_path / "1", tmp_path / "2") == list_shards(index)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"weight_map": {}}',
        '{"weight_map": [1]}',
        '{"weight_map": {"a": 1}}',
        '{"weight_map": {"a": ".."}}',
        '{"weight_map": {"a": "../w.safetensors"}}',
        '{"weight_map": {"a": "/etc/passwd"}}',
    ],
)
def test_what_is_no_index_is_refused(tmp_path, text):
    """Or one that leads elsewhere."""
    (tmp_path / "w.index.json").write_text(text)
    with pytest.raises(StepInputError, match="is no index of weights"):
        read_index(tmp_path / "w.index.json")
