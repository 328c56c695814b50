"""Labels of pictures in files of their own; the union is the registry."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Tag

from trtbuild.core.kinds import BY_KIND
from trtbuild.data.truths.coco import Coco
from trtbuild.data.truths.csv import Csv
from trtbuild.data.truths.masks import Masks
from trtbuild.data.truths.npz import Npz
from trtbuild.data.truths.pictures import Pictures
from trtbuild.data.truths.yolo import Yolo

__all__ = ["FoldersOrFiles", "LabelFiles"]

LabelFiles = Annotated[Yolo | Coco | Masks | Pictures | Csv | Npz, BY_KIND]


def _tell_apart(value: Any) -> str:
    return "name" if isinstance(value, str) else "kind"


FoldersOrFiles = Annotated[
    Annotated[Literal["folders"], Tag("name")] | Annotated[LabelFiles, Tag("kind")],
    Discriminator(_tell_apart),
]
"""Where the labels of pictures are: a word, or a mapping with a `kind`."""
