"""Clip where the quantized distribution tells least from the real one (KL divergence)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from trtbuild.core.options import Options

__all__ = ["Entropy2"]


class Entropy2(Options):
    """Clip each tensor where the KL divergence of the quantized histogram is least."""

    kind: Literal["entropy2"]
    bins: Annotated[int, Field(ge=512, le=1 << 16)] = 2048
    levels: Annotated[int, Field(ge=16, le=256)] = 128
