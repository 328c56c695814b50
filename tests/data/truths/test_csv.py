"""Classes of pictures in a table."""

from __future__ import annotations

import pytest

from trtbuild.core.errors import MissingFile, StepInputError
from trtbuild.data.truths.csv import Csv

PICTURES = ["cat/1.jpg", "dog/2.jpg"]


def classes(folder, text, **options):
    (folder / "t.csv").write_text(text)
    return Csv(kind="csv", path="t.csv", **options).read_classes(folder, PICTURES)


@pytest.mark.parametrize(
    "text",
    [
        "file,label\n1.jpg,3\n2.jpg,0\n3.jpg,9\n",
        "\ufefflabel;file\r\n3;cat/1\r\n0;dog/2.jpg\r\n",
        'x\tfile\tlabel\n"a\tb"\t1\t3\n\t2\t0\n',
    ],
    ids=["commas", "semicolons", "tabs"],
)
def test_numbers_are_classes(tmp_path, text):
    """Pictures by path or name, with or without suffix; whatever stands between columns."""
    assert (3, 0) == classes(tmp_path, text)


def test_names_are_numbered_by_name_or_as_the_file_has_them(tmp_path):
    """All names of the table count, whichever pictures are there."""
    text = "id,breed\n1,pug\n2,beagle\n3,akita\n"
    columns = {"file": "id", "label": "breed"}
    (tmp_path / "names.txt").write_text("pug\nakita\nbeagle\n")

    assert (2, 1) == classes(tmp_path, text, **columns)
    assert (0, 2) == classes(tmp_path, text, classes="names.txt", **columns)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name,label\n1,2\n", r"t.csv: has no column `file` for `file`"),
        ("file,label\n1,2\n", r"t.csv: has no row for dog/2.jpg"),
        ("file,label\n1,2\n2,\n", r"t.csv:3: has no `label` or no `file`"),
        ("file,label\n1,2\n1,3\n", r"t.csv:3: gives `1` another label"),
        ('file,label\n"1"x,2\n', r"t.csv: is no such table"),
        ("", r"t.csv: has no column"),
    ],
)
def test_a_table_that_does_not_tell_is_refused(tmp_path, text, told):
    """With the line, where there is one."""
    with pytest.raises(StepInputError, match=told):
        classes(tmp_path, text)


def test_a_class_that_is_not_in_the_list_is_refused(tmp_path):
    """And a table that is not there."""
    (tmp_path / "names.txt").write_text("pug\n")

    with pytest.raises(StepInputError, match="class `akita` is none of the 1"):
        classes(tmp_path, "file,label\n1,pug\n2,akita\n", classes="names.txt")
    with pytest.raises(MissingFile, match=r"u\.csv"):
        Csv(kind="csv", path="u.csv").read_classes(tmp_path, PICTURES)
