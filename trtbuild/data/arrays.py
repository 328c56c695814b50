"""Ready arrays in npy and npz files; axis 0 counts the samples."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from trtbuild.core.options import Location, Options

__all__ = ["Arrays"]


class Arrays(Options):
    """Arrays in an npz file (one array a model input), or an npy file (the one `input`)."""

    captured: ClassVar[bool] = False

    kind: Literal["arrays"]
    path: Location
    input: str = "input"
    labels: str | None = None
    count: Annotated[int, Field(gt=0)] | None = None
