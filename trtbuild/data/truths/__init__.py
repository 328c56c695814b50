"""Labels of pictures in files of their own; the union is the registry."""

from typing import Annotated

from pydantic import Field

from trtbuild.data.truths.coco import Coco
from trtbuild.data.truths.masks import Masks
from trtbuild.data.truths.pictures import Pictures
from trtbuild.data.truths.yolo import Yolo

__all__ = ["LabelFiles"]

LabelFiles = Annotated[Yolo | Coco | Masks | Pictures, Field(discriminator="kind")]
