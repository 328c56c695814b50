"""Clip at a percentile of the absolute values."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from trtbuild.core.options import Options

__all__ = ["Percentile"]


class Percentile(Options):
    """Clip each tensor at a percentile of its absolute values; outliers saturate."""

    kind: Literal["percentile"]
    percentile: Annotated[float, Field(gt=50, le=100)] = 99.99
