"""Taps: weights that sum to one, and pixels that are there."""

from __future__ import annotations

import numpy as np
import pytest

from trtbuild.fixes.taps import Resampling, find_taps


@pytest.mark.parametrize("name", ["nearest", "bilinear", "bicubic", "lanczos"])
@pytest.mark.parametrize("antialias", [True, False])
@pytest.mark.parametrize(("old", "new"), [(9, 4), (4, 9), (1, 3)])
def test_weights_of_each_pixel_sum_to_one(name, antialias, old, new):
    """Whatever is shrunk or grown; a picture of one colour stays so."""
    if name == "lanczos" and not antialias:
        return  # Pillow alone has it, and always averages
    inside, weights = find_taps(old, new, Resampling(name, "pillow", antialias))

    assert new == len(inside) == len(weights)
    assert (inside.min() >= 0, inside.max() < old) == (True, True)
    np.testing.assert_allclose(1, weights.sum(axis=1), rtol=1e-6)


def test_nearest_counts_from_centres_as_pillow_does():
    """OpenCV and torchvision count from the left."""
    places = [
        find_taps(4, 2, Resampling("nearest", like, antialias=False))[0].ravel().tolist()
        for like in ("pillow", "opencv")
    ]

    assert [[1, 3], [0, 2]] == places
