"""Lines of text."""

from __future__ import annotations

import json

import pytest

from tests.helpers.sorts import save_sort
from trtbuild import api
from trtbuild.core.errors import UsageError
from trtbuild.recipe.load import load_recipe
from trtbuild.verbs.ready import list_problems

TOKENIZER = {"version": "1.0", "added_tokens": [], "normalizer": None,
             "pre_tokenizer": {"type": "Whitespace"}, "post_processor": None, "decoder": None,
             "model": {"type": "WordLevel", "vocab": {"a": 0, "b": 1, "[UNK]": 2},
                       "unk_token": "[UNK]"}}  # fmt: skip


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_sort("bert", tmp_path)
    (tmp_path / "words").mkdir()
    for name in ("train", "eval"):
        (tmp_path / f"words/{name}.txt").write_text("a b\n\nb a a\n")
    return tmp_path


def test_the_tokenizer_lies_with_the_model_or_the_text(here):
    """Inputs take what their names say."""
    (here / "tokenizer.json").write_text(json.dumps(TOKENIZER))
    file = api.init("bert.onnx", data="words").file
    calib, other = load_recipe(file).recipe.data.values()

    assert () == list_problems(file)
    assert ("text", "words/train.txt", "words/eval.txt") == (calib.kind, calib.path, other.path)
    assert "tokenizer.json" == calib.tokenizer


def test_one_file_is_parted(here):
    """No line is in both parts."""
    (here / "tokenizer.json").write_text(json.dumps(TOKENIZER))
    file = api.init("bert.onnx", data="words/train.txt").file
    calib, other = load_recipe(file).recipe.data.values()

    assert ("1/2", "2/2", calib.path) == (calib.part, other.part, other.path)


def test_without_a_tokenizer_text_is_nothing(here):
    """What is missing is named."""
    with pytest.raises(UsageError, match=r"there is no tokenizer\.json") as raised:
        api.init("bert.onnx", data="words")

    assert raised.value.hint
    assert not (here / "bert.yaml").exists()
