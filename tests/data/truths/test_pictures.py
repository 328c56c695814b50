"""Pictures that should come out."""

from __future__ import annotations

import pytest

from tests.helpers.sources import picture
from trtbuild.core.errors import StepInputError
from trtbuild.data.preprocess import Preprocess
from trtbuild.data.truths.pictures import Pictures


def test_they_have_a_preprocessing_of_their_own(tmp_path):
    """Four times as large as what goes in, whose own preprocessing does not count."""
    picture(tmp_path / "large" / "1.png", 255, size=(8, 4))
    labels = Pictures(kind="pictures", path="large", preprocess=Preprocess(color="gray"))
    found = labels.find_files(tmp_path, ["1.jpg"])

    assert [[[1.0] * 8] * 4] == labels.open(found)(
        "1.jpg", Preprocess(crop=(1, 1)).view(2, 1)
    ).tolist()


def test_each_picture_has_one(tmp_path):
    """The first without is named."""
    picture(tmp_path / "1.png")

    with pytest.raises(StepInputError, match=r"holds no picture for 2\.jpg"):
        Pictures(kind="pictures", path=".").find_files(tmp_path, ["1.jpg", "2.jpg"])
