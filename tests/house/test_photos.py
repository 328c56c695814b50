"""The crops of real photographs that the ResNet recipe calibrates with."""

from __future__ import annotations

import importlib.util
import itertools
from pathlib import Path

import numpy as np
import pytest

import trtbuild
from trtbuild.core.digest import digest_of_file

ROOT = Path(trtbuild.__file__).parent.parent


@pytest.fixture(scope="module")
def module():
    """calib_data/photos.py."""
    spec = importlib.util.spec_from_file_location("photos", ROOT / "calib_data/photos.py")
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def taken(module, split, count, size=32):
    return [sample["input"] for sample in itertools.islice(module.photos(split, size=size), count)]


@pytest.mark.parametrize("split", ["calib", "eval"])
def test_crops_are_varied_pictures(module, split):
    """64 crops, all different, RGB of the size asked for, and none of them blank."""
    crops = taken(module, split, 64)

    assert {((32, 32, 3), "uint8")} == {(crop.shape, crop.dtype.name) for crop in crops}
    assert 64 == len({crop.tobytes() for crop in crops})
    assert min(np.ptp(crop) for crop in crops) > 30


def test_splits_share_no_picture(module):
    """Neither a file nor, under another name, its contents."""
    pictures = [
        {module._located(package, name) for package, name in module.SPLITS[split]}
        for split in ("calib", "eval")
    ]
    calib, evaluation = ({digest_of_file(path) for path in paths} for paths in pictures)

    assert (6, 5) == (len(calib), len(evaluation))
    assert set() == calib & evaluation


def test_every_picture_is_explained(module):
    """The README names each with its split."""
    text = (ROOT / "calib_data/README.md").read_text()

    for split, pictures in module.SPLITS.items():
        for _, name in pictures:
            assert f"| {split} | `{name}` |" in text


def test_crops_do_not_depend_on_their_number(module):
    """The first crops are the same, however many are asked for."""
    few = list(module.photos("eval", count=3, size=16))

    assert 3 == len(few)
    for crop, sample in zip(taken(module, "eval", 3, 16), few, strict=True):
        np.testing.assert_array_equal(crop, sample["input"])


def test_crops_lie_inside_their_picture(module):
    """A crop is a square of half to all of the shorter side, within the picture."""
    for index in range(500):
        left, top, right, bottom = module._box(index, 640, 427)

        assert (right - left) == (bottom - top)
        assert 213 <= right - left <= 427
        assert left >= 0 <= top
        assert right <= 640
        assert bottom <= 427


def test_a_package_that_is_missing_is_named(module):
    """With the command that installs it."""
    with pytest.raises(FileNotFoundError, match=r"no-such is not installed: pip install no-such"):
        module._located(("no-such", "no_such", "data"), "cat.png")


def test_a_picture_that_is_missing_is_named(module):
    """With the package that should carry it."""
    with pytest.raises(FileNotFoundError, match=r"the installed scikit-image carries no cat.png"):
        module._located(module.SKIMAGE, "cat.png")


def test_an_unknown_split_is_refused(module):
    """The message names those there are."""
    with pytest.raises(ValueError, match="no split `test` of the photos; take calib or eval"):
        next(module.photos("test"))
