"""trtbuild data preview, as its user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.helpers import media
from tests.helpers.projects import edit, small_project


@pytest.fixture(autouse=True)
def _here(steps_here):
    """Steps run in this process."""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A small project, in whose folder the command is typed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRTBUILD_STORE", str(tmp_path / "store"))
    return small_project(tmp_path)


def test_a_preview_is_a_sheet_a_page_and_a_table(project, trtbuild):
    """For each data set that the recipe reads; the model is asked, and nothing is built."""
    answer = trtbuild("data", "preview", "recipe.yaml", "--samples", "4")
    lines = answer.out.splitlines()

    assert 0 == answer.code, answer.err
    assert "calib: 4 of 6 samples, arrays" == lines[0]
    assert ["input", "0"] == lines[2].split()[:2]
    assert "  build/small/preview/calib.png, calib.html" in lines
    assert ["calib.html", "calib.png", "eval.html", "eval.png"] == sorted(
        path.name for path in Path("build/small/preview").iterdir()
    )
    assert {"preview"} == {path.name for path in Path("build/small").iterdir()}


def test_one_data_set_can_be_shown_while_others_are_not_there(project, trtbuild):
    """Not even the model need be; JSON has the same and the files."""
    Path("eval.npz").unlink()
    edit(project, "fixes:", "# fixes:")
    edit(project, "  - {kind: fold_constants}", "")
    answer = trtbuild(
        *("data", "preview", "recipe.yaml", "--data", "calib", "--without-model"),
        *("--out", "seen", "--format", "json"),
    )
    (found,) = json.loads(answer.out)["data"]

    assert 0 == answer.code, answer.err
    assert ("calib", 6, "the model was not asked") == (found["data"], found["of"], found["unknown"])
    assert ["seen/calib.png", "seen/calib.html"] == found["files"]


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("--data", "calibs"), 2, "there is no data `calibs`"),
        (("--out", "recipe.yaml"), 4, "the preview cannot be written"),
    ],
)
def test_what_cannot_be_shown_is_one_error(arguments, code, told, project, trtbuild):
    """A name that is none, and a folder that is a file."""
    answer = trtbuild("data", "preview", "recipe.yaml", "--without-model", *arguments)

    assert code == answer.code
    assert told in answer.err


def test_texts_are_told_as_tokens(project, trtbuild):
    """By the tokenizer that made them; an unknown word is seen as such."""
    media.tokenizer(Path("tokenizer.json"))
    Path("lines.txt").write_text("the cat sat\na zebra sat\n")
    edit(project, "data:\n", "data:\n  text: {kind: text, path: lines.txt, tokenizer: .}\n")
    answer = trtbuild(
        *("data", "preview", "recipe.yaml", "--data", "text", "--without-model"),
        *("--format", "json"),
    )
    (found,) = json.loads(answer.out)["data"]

    assert 0 == answer.code, answer.err
    told = found["inputs"][0]

    assert ("input_ids", ["[CLS] the cat sat [SEP]", "[CLS] [UNK] [UNK] sat [SEP]"]) == (
        told["name"], told["first"],
    )  # fmt: skip
    assert ["20% of the tokens are unknown words: is it the model's own tokenizer?"] == (
        found["doubts"]
    )
