"""Labels from folders."""

from __future__ import annotations

import pytest

from trtbuild.core.errors import MissingFile, StepInputError
from trtbuild.data.class_folders import number_classes, read_class_names


def test_folders_are_numbered_by_name_or_as_the_file_has_them():
    """From 0; one that no picture is in counts in the file alone."""
    assert (1, 0, 1) == number_classes(["dog", "cat", "dog"], (), "photos")
    assert (0, 2, 0) == number_classes(["dog", "cat", "dog"], ("dog", "emu", "cat"), "photos")


@pytest.mark.parametrize(
    ("told", "folders", "classes"),
    [
        ("photos: picture 1 lies in no folder of a class", ["cat", ""], ()),
        ("photos: the folder `emu` is none of the 2 classes", ["cat", "emu"], ("cat", "dog")),
    ],
)
def test_a_picture_without_a_class_is_refused(told, folders, classes):
    """With what to do."""
    with pytest.raises(StepInputError) as caught:
        number_classes(folders, classes, "photos")
    assert told == caught.value.message
    assert caught.value.hint


def test_names_are_read_a_line_each(tmp_path):
    """Whatever ends the lines; empty ones at the end do not count."""
    (tmp_path / "names.txt").write_bytes("\ufeffcat\r\ngreat white shark \r\n\r\n".encode())

    assert ("cat", "great white shark") == read_class_names(tmp_path / "names.txt")


@pytest.mark.parametrize(
    ("told", "text"),
    [
        ("is not UTF-8", b"\xff\xfe"),
        ("has an empty line", b"cat\n\ndog"),
        ("or none at all", b""),
        ("names `cat` twice", b"cat\ndog\ncat"),
    ],
)
def test_what_is_no_list_of_names_is_refused(tmp_path, told, text):
    """Since every name behind it would be off by one."""
    (tmp_path / "names.txt").write_bytes(text)

    with pytest.raises(StepInputError, match=told):
        read_class_names(tmp_path / "names.txt")


def test_a_file_that_is_not_there_is_said(tmp_path):
    """With what belongs into it."""
    with pytest.raises(MissingFile, match=r"names\.txt") as caught:
        read_class_names(tmp_path / "names.txt")
    assert "the name of a class a line" in caught.value.hint


def test_names_that_are_only_shown_may_be_alike(tmp_path):
    """As of ImageNet's two cranes; folders could not be told apart by them."""
    (tmp_path / "names.txt").write_text("crane\ncrane\n")

    assert ("crane", "crane") == read_class_names(tmp_path / "names.txt", unlike=False)
