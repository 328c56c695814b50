"""Data sources; the union is the registry."""

from typing import TYPE_CHECKING

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

__all__ = ["AnyDataSource"]

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
