"""Whether INT8 is asked for and nothing says any range: a warning of `validate`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.core.errors import TrtbuildError
from trtbuild.core.quantized_types import TYPES
from trtbuild.model.nodes import iterate_nodes
from trtbuild.recipe.problems import Problem

if TYPE_CHECKING:
    from trtbuild.recipe.load import ExaminedRecipe
    from trtbuild.sources import ModelSource

__all__ = ["find_range_doubts"]


def find_range_doubts(examined: ExaminedRecipe) -> Iterator[Problem]:
    """Yield a warning where no layer would become INT8; a source that is so already may be meant.

    The model is read for nothing else.
    """
    recipe = examined.recipe
    if recipe is None or {"model", "quantization"} & examined.unsound:
        return
    section = recipe.quantization
    if (
        section is None
        or TYPES[section.type].weights_only
        or section.calibrator
        or section.ranges
        or section.ranges_file
    ):
        return
    if _has_pairs(recipe.model, examined.file.parent):
        return
    word = TYPES[section.type].word
    told = f"nothing says the range of any tensor, so no layer becomes {word}"
    hint = "add `data: NAME` and `calibrator: {kind: auto}`, or `ranges` by hand"
    found = examined.source.problem(("quantization",), told, hint, key=True)
    yield found.model_copy(update={"level": "warning"})


def _has_pairs(model: ModelSource, base: Path) -> bool:
    """Tell whether a model is quantized already, or cannot be looked at."""
    from trtbuild.model.onnx_file import load_bare

    if model.kind != "onnx" or model.path is None:
        return True
    try:
        nodes = load_bare(base / model.path).graph.node
    except TrtbuildError:
        return True
    return any(node.op_type == "DequantizeLinear" for node in iterate_nodes(nodes))
