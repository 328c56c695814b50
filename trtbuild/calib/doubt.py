"""What the numbers of a calibration cache are, and whether their size fits what they should be.

TensorRT writes limit / 127. Other tools write 127 / limit, or the limit itself, under the same
header, and no file says which. Only the size tells: nobody can know for sure, so that a file is
refused where scales of its size are rare, and not where they are usual.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from trtbuild.core.errors import RangeFileError

__all__ = ["ScaleMeaning", "check_size", "read_limit"]

ScaleMeaning = Literal["auto", "scale", "inverse", "limit"]
"""What the numbers of a calibration cache are: limit / 127, 127 / limit, or the limit."""

PLAUSIBLE = (1e-6, 2.0)
"""Between these lies the median of a cache's scales: limits of ±0.0001 to ±254."""
PIXELS = (140.0, 262.0)
"""The limit of an input of pixels, their mean taken off or not: a model of them has values in the
hundreds and thousands everywhere. ±127 is not among them: the scale 1 is too often a limit."""
BYTES = (254.7, 255.3)
"""The limit of pixels of 0 to 255: wherever it stands, it is they."""
USUAL = ((0.9, 1.05), (2.05, 2.8), PIXELS)
"""Limits that inputs have: 0 to 1, ImageNet's normalization, pixels."""


def read_limit(number: float, values: ScaleMeaning) -> float:
    """Return the limit that a cache's number means; 0 where nothing is known."""
    if values == "inverse" and number:
        return 127 / number
    # In float64 scale * 127 is exact, and so divides back into the very scale.
    return number if values == "limit" else number * 127


def check_size(numbers: Mapping[str, float], file: str) -> None:
    """Refuse numbers that are hardly scales; `numbers` are in the file's order.

    Raises:
        RangeFileError: they are hardly scales.
    """
    import statistics

    known = {name: number for name, number in numbers.items() if number}
    if not known:
        return
    median = statistics.median(known.values())
    least, most = PLAUSIBLE
    told = f"{file}: the median of its scales is {median:.3g}, a range of ±{median * 127:.3g}: "
    if median < least:
        raise RangeFileError(
            f"{told}its numbers are hardly the bits of float32 scales",
            hint="`values: scale` (`--values scale`) takes them as they stand",
        )
    if median > most and not _of_pixels(known):
        raise RangeFileError(
            f"{told}some tools write the limit, or 127 / limit, where TensorRT has limit / 127",
            hint=_advice(known),
        )


def _of_pixels(known: Mapping[str, float]) -> bool:
    """Tell whether the first, which is mostly an input, or any other is one of pixels."""
    limits = [number * 127 for number in known.values()]
    return PIXELS[0] < limits[0] < PIXELS[1] or any(BYTES[0] < limit < BYTES[1] for limit in limits)


def _advice(known: Mapping[str, float]) -> str:
    """Name the reading by which the first tensor is a usual input, or else all with figures."""
    name, number = next(iter(known.items()))
    others: tuple[ScaleMeaning, ...] = ("limit", "inverse")
    readings = {values: read_limit(number, values) for values in others}
    fits = [v for v, limit in readings.items() if any(low < limit < high for low, high in USUAL)]
    if len(fits) == 1:
        told = f"`values: {fits[0]}` (`--values {fits[0]}`, with which `trtbuild ranges export` "
        told += f"makes a `ranges_file` of it): `{name}`, its first, then spans "
        return f"{told}±{readings[fits[0]]:.3g}; `values: scale` takes the numbers as they stand"
    told = ", ".join(f"±{limit:.3g} by `values: {values}`" for values, limit in readings.items())
    return (
        f"`{name}`, its first, spans ±{number * 127:.3g} by `values: scale`, {told}: say the one "
        "that is so (`--values`, with which `trtbuild ranges export` makes a `ranges_file` of it)"
    )
