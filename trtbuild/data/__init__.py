"""Data sources; the union is the registry."""

from typing import Annotated

from trtbuild.core.kinds import BY_KIND
from trtbuild.data.arrays import Arrays
from trtbuild.data.audio import Audio
from trtbuild.data.coco import CocoDataset
from trtbuild.data.datasets import Datasets
from trtbuild.data.entrypoint import Python
from trtbuild.data.images import Images
from trtbuild.data.random import Random
from trtbuild.data.text import Text
from trtbuild.data.video import Video
from trtbuild.data.yolo import YoloDataset

__all__ = ["AnyDataSource"]

AnyDataSource = Annotated[
    Images | YoloDataset | CocoDataset | Video | Text | Audio | Arrays | Datasets | Python | Random,
    BY_KIND,
]
