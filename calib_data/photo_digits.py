"""Handwritten digits written into photographs: `uint8 [32, 32, 3]` pictures with labels.

The digits are those of digits.py and the photographs those of photos.py; both keep their splits,
and nothing is downloaded.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from calib_data.digits import load
from calib_data.photos import photos

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

SIZE = 32
SEEDS = {"train": 1, "calib": 2, "eval": 3}
PHOTOS = {"train": "calib", "calib": "calib", "eval": "eval"}


def photo_digits(
    split: str, count: int = 0, first: int = 0
) -> Iterator[dict[str, NDArray[np.uint8] | int]]:
    """Yield `input`: uint8 [32, 32, 3] in RGB, and `label`, 0 to 9.

    A split is `train`, `calib` or `eval`. A `count` of 0 takes every digit of the split once; more
    than there are take them again, elsewhere and in another colour. So does a `first` that leaves
    out as many as there are: what follows has its digits from the same split, and no picture.
    """
    if split not in SEEDS:
        raise ValueError(
            f"there is no split `{split}` of the digits; take one of {', '.join(SEEDS)}"
        )
    images, labels = load(split)
    backgrounds = photos(PHOTOS[split], first + (count or len(labels)), SIZE)
    for index, photo in islice(enumerate(backgrounds), first, None):
        which = index % len(labels)
        picture = write(images[which, 0], photo["input"], (SEEDS[split], index))
        yield {"input": picture, "label": int(labels[which])}


def write(
    digit: NDArray[np.float32], photo: NDArray[np.uint8], seed: tuple[int, ...]
) -> NDArray[np.uint8]:
    """Blend a digit [8, 8] in 0..1 into a photograph, at a size, place, colour and strength by lot.

    The colour lies at least 80 of 255 from the mean of the place, in some channel.
    """
    import numpy as np
    from PIL import Image

    chance = np.random.default_rng(seed)
    side = int(chance.integers(18, SIZE - 1))
    top, left = (int(n) for n in chance.integers(0, SIZE - side + 1, 2))
    ink = Image.fromarray((digit * 255).astype(np.uint8)).resize(
        (side, side), Image.Resampling.BICUBIC
    )
    cover = np.asarray(ink, np.float64)[:, :, None] / 255 * chance.uniform(0.55, 1)
    picture = photo.astype(np.float64)
    place = picture[top : top + side, left : left + side]
    mean, colour = place.mean(axis=(0, 1)), chance.uniform(0, 255, 3)
    while np.abs(colour - mean).max() < 80:  # noqa: PLR2004 - see above
        colour = chance.uniform(0, 255, 3)
    place += cover * (colour - place)
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)
