"""In which numbers a model says where a box lies."""

from __future__ import annotations

from typing import Literal

__all__ = ["BoxFormat"]

BoxFormat = Literal["cxcywh", "xyxy", "xywh", "yxyx"]
"""Its centre and size; two corners; a corner and the size; two corners, each with y first."""
