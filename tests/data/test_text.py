"""Lines of text as the numbers of a tokenizer."""

from __future__ import annotations

import sys

import pytest
from pydantic import ValidationError

from tests.helpers import media
from tests.helpers.sources import source_of
from trtbuild.core.errors import MissingDependency, MissingFile, StepInputError

IDS, MASK, TYPES = "input_ids", "attention_mask", "token_type_ids"


def text(extra="", path="lines.txt"):
    return source_of(f'{{"kind": "text", "path": "{path}", "tokenizer": "tokenizer.json"{extra}}}')


@pytest.fixture
def folder(tmp_path):
    """The words: [PAD] 0, [UNK] 1, [CLS] 2, [SEP] 3, the 4, cat 5, sat 6, on 7, mat 8."""
    media.tokenizer(tmp_path / "tokenizer.json")
    return tmp_path


def read(source, folder, content="the cat sat on the mat\n"):
    (folder / "lines.txt").write_text(content)
    return list(source.samples(source.find_files(folder)))


def test_a_line_becomes_numbers(folder):
    """With special tokens, of its own length, whatever the tokenizer's file says of truncation."""
    one, two = read(text(), folder, "the cat sat on the mat\n\n \nemu\r\n")

    assert [2, 4, 5, 6, 7, 4, 8, 3] == one.arrays[IDS].tolist()
    assert ([1] * 8, [0] * 8) == (one.arrays[MASK].tolist(), one.arrays[TYPES].tolist())
    assert ("lines.txt:4", [2, 1, 3]) == (two.name, two.arrays[IDS].tolist())
    assert {"int64"} == {array.dtype.name for array in one.arrays.values()}


def test_columns_are_pairs_and_labels(folder):
    """Types tell the second text from the first."""
    asked = ', "separator": "\\t", "text": 1, "pair": 2, "labels": 0'
    (sample,) = read(text(asked), folder, "1\tthe cat\tsat\n")

    assert [2, 4, 5, 3, 6, 3] == sample.arrays[IDS].tolist()
    assert ([0, 0, 0, 0, 1, 1], 1) == (sample.arrays[TYPES].tolist(), sample.label)


def test_a_count_is_spread_over_all_files(folder):
    """In name order; the tokenizer is pinned before them."""
    (folder / "texts").mkdir()
    for name, lines in (("b", "sat\non\n"), ("a", "the\ncat\n")):
        (folder / f"texts/{name}.txt").write_text(lines)
    source = text(', "count": 2', "texts")
    files = source.find_files(folder)

    assert ["tokenizer.json", "a.txt", "b.txt"] == [path.name for path in files]
    assert ["a.txt:1", "b.txt:1"] == [each.name for each in source.samples(files)]


@pytest.mark.parametrize(
    ("content", "extra", "told"),
    [
        ("\n \n", "", "lines.txt: holds no text"),
        ("cat\n", ', "count": 2', "lines.txt: holds 1 line, and `count` asks for 2"),
        ("a,b\n", ', "separator": ",", "text": 2', "lines.txt:1: has 2 columns, and column 2"),
        ("a,\n", ', "separator": ",", "pair": 1', "lines.txt:1: a text is empty"),
        ("a,x\n", ', "separator": ",", "labels": 1', "lines.txt:1: its label is `x`"),
        (
            "cat",
            ', "max_length": 9, "padding": "max_length", "pad_token": "x"',
            "tokenizer.json: has no token `x`",
        ),
    ],
)
def test_bad_lines_are_named(folder, content, extra, told):
    """With where they stand."""
    with pytest.raises(StepInputError, match=told):
        read(text(extra), folder, content)


def test_a_text_that_cannot_be_tokenized_is_named(folder):
    """A word that is not known, where there is no token for such words."""
    media.tokenizer(folder / "tokenizer.json", "the cat")

    with pytest.raises(StepInputError, match=r"lines\.txt:2: cannot be tokenized: WordLevel"):
        read(text(', "special_tokens": false'), folder, "cat\nemu\n")


def test_files_that_are_none_are_named(folder):
    """Text in another encoding; a tokenizer that is none, or is not there."""
    (folder / "lines.txt").write_bytes(b"caf\xe9\n")
    with pytest.raises(StepInputError, match=r"lines\.txt: is not UTF-8 text, from byte 3 on"):
        list(text().samples(text().find_files(folder)))
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(StepInputError, match=r"tokenizer\.json: is no tokenizer"):
        read(text(), folder)
    (folder / "tokenizer.json").unlink()
    with pytest.raises(MissingFile, match=r"tokenizer\.json: no such file"):
        text().find_files(folder)


def test_a_missing_library_is_said(folder, monkeypatch):
    """With the command that brings it."""
    monkeypatch.setitem(sys.modules, "tokenizers", None)

    with pytest.raises(MissingDependency, match="`tokenizers` is not installed") as caught:
        read(text(), folder)
    assert "pip install 'trtbuild[text]'" == caught.value.hint


@pytest.mark.parametrize(
    ("extra", "told"),
    [
        (', "padding": "max_length"', "needs `max_length`"),
        (', "pair": 1', "`pair` is a column: say what is between them"),
    ],
)
def test_options_that_lack_others_are_refused(extra, told):
    """When the recipe is read."""
    with pytest.raises(ValidationError, match=told):
        text(extra)
