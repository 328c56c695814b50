"""Frames that are read directly: by which kernel, and what words of three-byte pixels hold."""

from __future__ import annotations

import numpy as np
import pytest

from tests.data.on_gpu.test_kernel import RULES, frame, prepare, same
from trtbuild.data.on_gpu.direct_kernel import DIRECT, ONE
from trtbuild.data.on_gpu.kernel import PREPARE
from trtbuild.data.preprocess import Preprocess

RNG = np.random.default_rng(6)
AS_IT_IS = {"opencv": None, "torchvision": False}
PAIRS = [("opencv", "bilinear", None), ("torchvision", "bilinear", False)]


@pytest.mark.parametrize(("like", "interpolation", "antialias"), RULES)
def test_two_taps_at_most_are_read_directly(kernels, like, interpolation, antialias):
    """One frame's table comes with the launch; a batch of frames that take more is weighed."""
    launched = []

    def note(name):
        def run(*given):
            launched.append(name)
            kernels[3][name](*given)

        return run

    noting = {3: {name: note(name) for name in kernels[3]}}
    how = Preprocess(
        resize=(37, 41), resize_like=like, interpolation=interpolation, antialias=antialias
    )
    same(noting, how, frame(90, 130), frame(70, 300))
    same(noting, how, frame(90, 130))
    direct = interpolation == "nearest" or (like, interpolation, antialias) in PAIRS

    assert ([DIRECT, ONE] if direct else [PREPARE, PREPARE]) == launched


@pytest.mark.parametrize("like", ["opencv", "torchvision"])
def test_neighbours_are_read_as_words_wherever_they_lie(kernels, like):
    """Rows of any length from any byte on, up to both edges; BGR, gray, and the model gray."""
    for color in ("rgb", "bgr", "gray"):
        how = Preprocess(resize=(23, 29), resize_like=like, antialias=AS_IT_IS[like], color=color)
        for skip in range(4):
            whole = RNG.integers(0, 256, 61 * 53 * 3 + 4, np.uint8)
            part = whole[skip:][: 61 * 53 * 3].reshape(61, 53, 3)
            expected = how.apply(np.ascontiguousarray(part), "part").view(np.uint32)

            assert np.array_equal(expected, prepare(kernels, how, [part])[0])
            assert np.array_equal(expected, prepare(kernels, how, [part, part])[1])
