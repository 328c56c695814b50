"""Samples from a Python callable; they are run once and stored."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from trtbuild.core.options import Options
from trtbuild.data.preprocess import Preprocess

__all__ = ["Python"]


class Python(Options):
    """A callable that yields samples: a mapping of model input (and label) to array."""

    captured: ClassVar[bool] = True

    kind: Literal["python"]
    entrypoint: str
    options: dict[str, int | float | str | bool] = {}
    input: str = "input"
    labels: str | None = None
    count: Annotated[int, Field(gt=0)] | None = None
    preprocess: Preprocess | None = None
