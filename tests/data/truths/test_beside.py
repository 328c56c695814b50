"""Files that are called as pictures are."""

from __future__ import annotations

import pytest

from trtbuild.core.errors import MissingFile, StepInputError
from trtbuild.data.truths.beside import find_beside


def files(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    return folder


def found(folder, *pictures):
    return {
        name: path.relative_to(folder).as_posix()
        for name, path in find_beside(folder, pictures, {".txt"}, what="text file").items()
    }


def test_a_file_has_the_picture_s_path_or_its_name_alone(tmp_path):
    """`a/1.jpg` has `a/1.txt`; `b/2.jpg` has `2.txt`; `3.jpg` has none."""
    files(tmp_path, "a/1.txt", "2.txt", "other.txt")

    assert {"a/1.jpg": "a/1.txt", "b/2.jpg": "2.txt"} == found(
        tmp_path, "a/1.jpg", "b/2.jpg", "3.jpg"
    )


def test_a_folder_without_any_is_refused(tmp_path):
    """With the name that is looked for; a folder that is not there likewise."""
    with pytest.raises(MissingFile) as caught:
        found(files(tmp_path, "9.txt"), "1.jpg")

    assert "holds no text file of any picture" in caught.value.message
    assert "below this folder: 1.txt" in caught.value.hint
    with pytest.raises(MissingFile, match="no such folder"):
        found(tmp_path / "gone", "1.jpg")


@pytest.mark.parametrize("pictures", [("a/1.jpg", "b/1.jpg"), ("1.jpg", "a/1.jpg")])
def test_a_file_is_of_one_picture(tmp_path, pictures):
    """Of two in folders of their own, nobody knows which."""
    files(tmp_path, "1.txt")

    with pytest.raises(StepInputError, match=r"1.txt: could be the text file of .* and of .*/1"):
        found(tmp_path, *pictures)
    assert {"1.jpg": "1.txt", "1.png": "1.txt"} == found(tmp_path, "1.jpg", "1.png")


def test_two_that_could_be_meant_are_refused(tmp_path):
    """A mask as PNG and as TIFF."""
    files(tmp_path, "1.png", "1.tif")

    with pytest.raises(
        StepInputError, match=r"1.jpg: two files could be its mask: .*1.png, .*1.tif"
    ):
        find_beside(tmp_path, ["1.jpg"], {".png", ".tif"}, what="mask")
