"""Handwritten digits from the installed scikit-learn, in one fixed split.

1797 labelled 8x8 images: 897 to train on, 100 to calibrate with, 800 to evaluate on. No image is in
two parts. The pictures stay in that package; nothing is downloaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

SIZES = {"train": 897, "calib": 100, "eval": 800}
SEED = 20260101


def digits(split: str, count: int = 0) -> Iterator[dict[str, NDArray[np.float32] | int]]:
    """Yield `input`, float32 [1, 8, 8] in 0..1, and `label`, 0 to 9, for each image of a part.

    A `count` above 0 stops after so many images.
    """
    images, labels = load(split)
    stop = count or len(images)
    for image, label in zip(images[:stop], labels[:stop], strict=True):
        yield {"input": image, "label": int(label)}


def load(split: str) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return the images [count, 1, 8, 8] in 0..1 and the labels [count] of a part."""
    import numpy as np
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    rows = indices(split)
    # Ink is counted on 4x4 blocks of a bitmap, so a pixel is 0 to 16.
    images = (pixels[rows] / 16).astype(np.float32).reshape(-1, 1, 8, 8)
    return images, labels[rows].astype(np.int64)


def indices(split: str) -> NDArray[np.int64]:
    """Return the rows of scikit-learn's table that make up a part: `train`, `calib` or `eval`."""
    import numpy as np

    if split not in SIZES:
        raise ValueError(
            f"there is no part `{split}` of the digits; take one of {', '.join(SIZES)}"
        )
    # RandomState and not a Generator: numpy promises its stream for all future versions.
    order = np.random.RandomState(SEED).permutation(sum(SIZES.values()))
    names = list(SIZES)
    start = sum(SIZES[name] for name in names[: names.index(split)])
    return order[start : start + SIZES[split]].astype(np.int64)
