"""What ONNX Runtime makes of a model: the graph that it would run, and in which types."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = ["find_half", "is_cast_to_float", "optimize"]

_CAST = "InsertedPrecisionFreeCast"
"""How ONNX Runtime names the casts that it puts around what it has no 16-bit kernel for."""
_HALVES = {10: "FP16", 16: "BF16"}


def find_half(model: Any) -> str:
    """Return the 16-bit type that a model computes in; nothing where it does in none."""
    types = {value.type.tensor_type.elem_type for value in model.graph.input}
    types |= {
        attribute.i
        for node in model.graph.node
        if node.op_type == "Cast"
        for attribute in node.attribute
        if attribute.name == "to"
    }
    return next((_HALVES[each] for each in sorted(types & _HALVES.keys())), "")


def is_cast_to_float(model: Path) -> bool:
    """Tell whether ONNX Runtime puts casts to FP32 into a 16-bit model, or has no kernel for it."""
    from trtbuild.core.errors import StepInputError

    try:
        return any(node.name.startswith(_CAST) for node in optimize(model))
    except StepInputError:
        return True  # it has no kernel at all


def optimize(model: Path) -> Sequence[Any]:
    """Return the nodes that ONNX Runtime makes of a model, its fusions of Q/DQ pairs included.

    Raises:
        StepInputError: it cannot load the model.
    """
    from trtbuild.model.onnx_file import load_bare
    from trtbuild.model.session import write_optimized

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "optimized.onnx"
        write_optimized(model, path)
        return list(load_bare(path).graph.node)
