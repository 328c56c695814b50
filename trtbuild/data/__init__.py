"""Data sources; the union is the registry."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TypeGuard

from trtbuild.core.kinds import OneOf

if TYPE_CHECKING:
    from trtbuild.data import (
        arrays,
        audio,
        coco,
        datasets,
        entrypoint,
        images,
        random,
        text,
        video,
        yolo,
    )
    from trtbuild.data.picture_files import PictureFiles

__all__ = ["AnyDataSource", "holds_pictures"]

AnyDataSource = OneOf[
    """
    images.Images
    | yolo.DataYolo
    | coco.DataCoco
    | video.Video
    | text.Text
    | audio.Audio
    | datasets.Datasets
    | arrays.Arrays
    | entrypoint.Python
    | random.Random
    """,
    __name__,
]


def holds_pictures(source: object) -> TypeGuard[PictureFiles]:
    """Tell whether a data source is a folder of pictures; what is not loaded has no values."""
    module = sys.modules.get("trtbuild.data.picture_files")
    return module is not None and isinstance(source, module.PictureFiles)
