"""From a decoded picture to the array a model takes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from trtbuild.core.options import Options

__all__ = ["Preprocess"]

Pixels = Annotated[int, Field(gt=0)]


class Preprocess(Options):
    """resize → crop → scale → normalize → layout, in this order."""

    resize: Pixels | tuple[Pixels, Pixels] | None = None
    crop: tuple[Pixels, Pixels] | None = None
    interpolation: Literal["nearest", "bilinear", "bicubic", "lanczos"] = "bilinear"
    color: Literal["rgb", "bgr", "gray"] = "rgb"
    scale: float = 1 / 255
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    layout: Literal["chw", "hwc"] = "chw"
