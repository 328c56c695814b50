"""Compute capabilities by the names of GPUs."""

from __future__ import annotations

import pytest

from trtbuild.backends.tensorrt.gpu_names import find_capability


@pytest.mark.parametrize(
    ("name", "capability"),
    [
        ("rtx4090", 8.9), ("NVIDIA GeForce RTX 4070 Ti SUPER", 8.9), ("4090", 8.9), ("L40S", 8.9),
        ("RTX 6000 Ada", 8.9), ("rtx-a6000", 8.6), ("A10G", 8.6), ("Tesla T4", 7.5),
        ("a100", 8.0), ("A100-SXM4-80GB", 8.0), ("h200", 9.0), ("RTX 5090", 12.0),
        ("Jetson AGX Orin", 8.7), ("rtx", None), ("8.9", None), ("", None),
    ],
)  # fmt: skip
def test_a_gpu_is_known_by_its_name(name, capability):
    """However it is written; what is no name of one GPU is not guessed at."""
    assert capability == find_capability(name)
