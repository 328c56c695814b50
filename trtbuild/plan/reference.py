"""The model that a comparison takes as right."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from trtbuild.plan.export_sizes import choose_export_sizes
from trtbuild.recipe.precision_rules import find_high_type
from trtbuild.recipe.schema import Recipe
from trtbuild.steps.base import Pinned, Ref, Step
from trtbuild.steps.fix_graph import FixGraph
from trtbuild.steps.import_model import ImportModel

__all__ = ["REFERENCE", "ReferenceModel", "add_reference"]

REFERENCE = "fix_graph(reference)"
"""The step that makes the model of `compare: reference:`, and describes it."""
IMPORTED = "import_model(reference)"


class ReferenceModel(NamedTuple):
    """A model to compare with, and what it is called beside the type of its numbers."""

    model: Ref
    name: str
    """Empty for the model that the candidate is made from, which its type names."""


def add_reference(
    recipe: Recipe,
    steps: dict[str, Step],
    base: Path,
    pin: Callable[[tuple[Path, ...]], tuple[Pinned, ...]],
    weights: Pinned | None,
) -> ReferenceModel:
    """Add the steps that make the reference, where the recipe names one, and return it.

    Without one it is the model that is quantized or made 16-bit; where neither is done, the
    source as it was before the fixes.
    """
    source = recipe.compare.reference if recipe.compare is not None else None
    if source is None:
        if recipe.quantization is None and find_high_type(recipe) == "fp32":
            return ReferenceModel(Ref(step="import_model", output="model"), "source before fixes")
        return ReferenceModel(Ref(step="fix_graph", output="model"), "")
    steps[IMPORTED] = ImportModel(
        model=source,
        files=pin(source.find_files(base)),
        weights=weights,
        sizes=choose_export_sizes(recipe, source, base),
        base=str(base),
    )
    steps[REFERENCE] = FixGraph(model=Ref(step=IMPORTED, output="model"))
    return ReferenceModel(Ref(step=REFERENCE, output="model"), f"reference {source.place}")
