"""Folders as Hugging Face lays them out."""

from __future__ import annotations

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from trtbuild import api
from trtbuild.core.errors import UsageError
from trtbuild.recipe.load import load_recipe
from trtbuild.verbs.ready import list_problems

BERT = {"model_type": "bert", "architectures": ["BertForSequenceClassification"],
        "vocab_size": 99, "type_vocab_size": 2, "max_position_embeddings": 64,
        "id2label": {"0": "a", "1": "b", "2": "c"}}  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bert").mkdir()
    (tmp_path / "bert/config.json").write_text(json.dumps(BERT))
    save_file({"x": np.zeros(1, np.float32)}, tmp_path / "bert/model.safetensors")
    return tmp_path / "bert"


def test_what_its_configuration_says_is_enough(folder):
    """Inputs, the words there are, how long texts can be, and what it scores."""
    file = api.init("bert").file
    recipe = load_recipe(file).recipe

    assert () == list_problems(file)
    assert ("huggingface", "bert") == (recipe.model.kind, recipe.model.path)
    assert 99 == recipe.data["calib"].inputs["input_ids"].high
    assert (32, 64) == recipe.profiles[0]["attention_mask"].max
    assert "top1_agreement" in recipe.compare.metrics
    assert (folder.parent / "bert.yaml").is_file()


def test_without_weights_there_is_nothing_to_build(folder):
    """What is missing is named."""
    (folder / "model.safetensors").unlink()
    with pytest.raises(UsageError, match="no ONNX file, and no weights"):
        api.init("bert")
