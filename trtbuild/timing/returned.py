"""The tensors of what a PyTorch module returns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["list_tensors"]


def list_tensors(value: Any) -> list[Any]:
    """Return the tensors in it, however deep they lie, in order."""
    import torch

    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [tensor for each in value for tensor in list_tensors(each)]
    return []
