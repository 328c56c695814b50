"""Data sources; the union is the registry."""

from typing import TYPE_CHECKING

from trtbuild.core.kinds import OneOf

if TYPE_CHECKING:
    from trtbuild.data import arrays, entrypoint, images, random

__all__ = ["AnyDataSource"]

AnyDataSource = OneOf[
    """
    images.Images
    | arrays.Arrays
    | entrypoint.Python
    | random.Random
    """,
    __name__,
]
