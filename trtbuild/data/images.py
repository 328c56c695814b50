"""Pictures in a folder, decoded and preprocessed as they are needed."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from trtbuild.core.options import Location, Options
from trtbuild.data.preprocess import Preprocess

__all__ = ["Images"]


class Images(Options):
    """Picture files: a folder (taken in name order) or a glob."""

    captured: ClassVar[bool] = False

    kind: Literal["images"]
    path: Location
    input: str = "input"
    count: Annotated[int, Field(gt=0)] | None = None
    preprocess: Preprocess
