"""PSNR and SSIM, by hand and by scikit-image."""

from __future__ import annotations

import math

import numpy as np
import pytest

from trtbuild.measure.likeness import find_psnr, find_ssim


def test_psnr_of_a_tenth_is_twenty_decibels():
    """A tenth of the range, squared, is a hundredth; nothing at all is no finite number."""
    assert 20 == pytest.approx(find_psnr(0.01, 1.0))
    assert 20 == pytest.approx(find_psnr(25.5**2, 255.0))
    assert math.inf == find_psnr(0.0, 1.0)


def test_a_flat_picture_is_as_alike_as_its_brightness():
    """Without variance SSIM is (2ab + C1) / (a² + b² + C1), with a 0.5 and b 0.25."""
    one, other = np.full((1, 11, 11), 0.5), np.full((1, 11, 11), 0.25)

    assert (0.25 + 1e-4) / (0.3125 + 1e-4) == pytest.approx(find_ssim(one, other, 1.0))
    assert 1.0 == find_ssim(one, one, 1.0)


def test_it_is_what_scikit_image_says():
    """With its options for the formula of the paper."""
    metrics = pytest.importorskip("skimage.metrics")
    rng = np.random.default_rng(0)
    one = rng.random((3, 20, 25)) * 255
    other = one + rng.normal(0, 20, one.shape)
    told = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    theirs = metrics.structural_similarity(one, other, channel_axis=0, data_range=255, **told)

    assert theirs == pytest.approx(find_ssim(one, other, 255.0))
