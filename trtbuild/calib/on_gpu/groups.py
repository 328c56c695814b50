"""How many samples a calibration on a GPU runs at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trtbuild.model.merging import MOST_BATCH

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["are_alike", "choose_batch"]

MOST_BYTES = 960 << 20
"""Of tensors that are observed at a time: about what a session and CUDA take anyway."""
ALIKE = 1e-3
"""By so much of its size an extreme may differ where samples are run together, by roundings."""
SHARE = 6
"""What is observed may take one part in so many of the memory that is free: the model's other
tensors, and scratch memory of its operators, take as much again and more."""


def choose_batch(sample_bytes: int, free_bytes: int) -> int:
    """Return how many samples a run takes, given what is observed of one, and what is free."""
    most = min(MOST_BYTES, free_bytes // SHARE)
    return max(1, min(MOST_BATCH, most // max(1, sample_bytes)))


def are_alike(
    alone: tuple[NDArray[Any], NDArray[Any]], together: tuple[NDArray[Any], NDArray[Any]]
) -> bool:
    """Tell whether tensors have the same extremes, lowest and highest, but for roundings."""
    import numpy as np

    size = np.maximum(np.abs(alone[0]), np.abs(alone[1]))
    return all(
        bool((np.abs(one - other) <= ALIKE * size + 1e-30).all())
        for one, other in zip(alone, together, strict=True)
    )
