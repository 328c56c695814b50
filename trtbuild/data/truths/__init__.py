"""Labels of pictures in files of their own; the union is the registry."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Discriminator, Tag

from trtbuild.core.kinds import OneOf

if TYPE_CHECKING:
    from trtbuild.data.truths import coco, csv, masks, npz, pictures, yolo

__all__ = ["FoldersOrFiles", "LabelFiles"]

LabelFiles = OneOf[
    """
    yolo.Yolo
    | coco.Coco
    | masks.Masks
    | pictures.Pictures
    | csv.Csv
    | npz.Npz
    """,
    __name__,
]


def _tell_apart(value: Any) -> str:
    return "name" if isinstance(value, str) else "kind"


FoldersOrFiles = Annotated[
    Annotated[Literal["folders"], Tag("name")] | Annotated[LabelFiles, Tag("kind")],
    Discriminator(_tell_apart),
]
"""Where the labels of pictures are: a word, or a mapping with a `kind`."""
