"""The kinds of runner: the union is the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trtbuild.core.kinds import OneOf

if TYPE_CHECKING:
    from trtbuild.timing import onnxruntime, torch

__all__ = ["AnyRunner"]

AnyRunner = OneOf[
    """
    onnxruntime.Onnxruntime
    | torch.Torch
    """,
    __name__,
]
"""What runs a model, by its kind."""
