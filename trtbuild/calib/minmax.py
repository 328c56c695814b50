"""The whole observed range."""

from __future__ import annotations

from typing import Literal

from trtbuild.core.options import Options

__all__ = ["Minmax"]


class Minmax(Options):
    """Keep the whole observed range: nothing is clipped."""

    kind: Literal["minmax"]
