"""What is made of a text."""

from __future__ import annotations

import json

import pytest

from tests.helpers import media
from trtbuild.core.errors import StepInputError
from trtbuild.data.tokens import Tokens

IDS, MASK = "input_ids", "attention_mask"


@pytest.fixture
def path(tmp_path):
    """The words: [PAD] 0, [UNK] 1, [CLS] 2, [SEP] 3, the 4, cat 5, sat 6, on 7, mat 8."""
    return media.tokenizer(tmp_path / "tokenizer.json")


def tokens(path, text, **options):
    how = Tokens.model_validate_json(json.dumps({"tokenizer": "x", **options}))
    found = how.open_tokenizer(path)((text,), "line")
    return {name: array.tolist() for name, array in found.items()}


def test_texts_are_cut_and_filled_up(path):
    """To the length that is asked for, the last special token kept; padding is masked."""
    asked = {"max_length": 5, "padding": "max_length"}

    assert [2, 4, 5, 6, 3] == tokens(path, "the cat sat on the mat", **asked)[IDS]
    short = tokens(path, "mat", **asked)
    assert ([2, 8, 3, 0, 0], [1, 1, 1, 0, 0]) == (short[IDS], short[MASK])
    assert [2, 4, 5, 3] == tokens(path, "the cat", max_length=5)[IDS]


def test_inputs_are_called_as_the_model_calls_them(path):
    """And only those that it has; special tokens and the padding token are a choice."""
    asked = {"inputs": {"ids": IDS}, "special_tokens": False, "pad_token": "mat"}

    assert {"ids": [5, 8, 8]} == tokens(path, "cat", max_length=3, padding="max_length", **asked)


def test_what_the_tokenizer_says_of_padding_is_its_token_alone(path):
    """Not that, or how far, texts are filled up."""
    told = json.loads(path.read_text())
    told["padding"] = {
        "strategy": {"Fixed": 9}, "direction": "Right", "pad_to_multiple_of": None,
        "pad_id": 8, "pad_type_id": 0, "pad_token": "mat",
    }  # fmt: skip
    path.write_text(json.dumps(told))

    assert [2, 5, 3] == tokens(path, "cat")[IDS]
    assert [2, 5, 3, 8] == tokens(path, "cat", max_length=4, padding="max_length")[IDS]


def test_a_length_that_special_tokens_fill_is_refused(path):
    """There must be room for text."""
    with pytest.raises(StepInputError, match="`max_length: 2` leaves no room for text"):
        tokens(path, "cat", max_length=2)
