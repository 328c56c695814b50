"""How many samples a calibration on a GPU runs at once."""

from __future__ import annotations

from trtbuild.model.merging import MOST_BATCH

__all__ = ["choose_batch"]

MOST_BYTES = 960 << 20
"""Of tensors that are observed at a time: about what a session and CUDA take anyway."""
SHARE = 6
"""What is observed may take one part in so many of the memory that is free: the model's other
tensors, and scratch memory of its operators, take as much again and more."""


def choose_batch(sample_bytes: int, free_bytes: int) -> int:
    """Return how many samples a run takes, given what is observed of one, and what is free."""
    most = min(MOST_BYTES, free_bytes // SHARE)
    return max(1, min(MOST_BATCH, most // max(1, sample_bytes)))
