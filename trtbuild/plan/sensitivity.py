"""The steps that measure what INT8 costs, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from trtbuild.plan.labels import add_labels
from trtbuild.plan.measuring import make_measuring
from trtbuild.recipe.schema import Recipe
from trtbuild.steps.base import Ref, Step
from trtbuild.steps.capture_data import DataInput

if TYPE_CHECKING:
    from trtbuild.plan.compile import CompileContext

__all__ = ["PARTS", "PICK", "SENSITIVITY", "add_sensitivity", "name_part"]

SENSITIVITY = "sensitivity"
"""The last of the steps."""
PICK = "pick_samples"
PARTS = 3
"""Steps that the layers are shared out to: what one has measured is kept where the next is
interrupted. Each computes what is in front of its layers again."""


def name_part(part: int) -> str:
    """Return the name of a step that measures some of the layers."""
    return f"measure_layers({part + 1} of {PARTS})"


def add_sensitivity(
    recipe: Recipe,
    steps: dict[str, Step],
    data: Mapping[str, DataInput],
    here: CompileContext,
) -> None:
    """Measure each layer that is quantized, as the context or the recipe says, if either does."""
    if recipe.compare is None or recipe.quantization is None:
        return
    asked = here.layers or recipe.compare.sensitivity
    if asked is None:
        return
    from trtbuild.steps.measure_layers import MeasureLayers
    from trtbuild.steps.merge_layers import MergeLayers
    from trtbuild.steps.pick_samples import PickSamples
    from trtbuild.steps.quantize import Quantize

    samples = data[recipe.compare.data]
    quantize = steps["quantize"]
    assert isinstance(quantize, Quantize)  # noqa: S101  # what has this name is one
    model, picked = quantize.model, Ref(step=PICK, output="picked")
    measured = make_measuring(
        recipe.compare, samples, here, labels=add_labels(recipe, steps, data, here)
    )
    steps[PICK] = PickSamples(data=samples, count=asked.samples)
    for part in range(PARTS):
        steps[name_part(part)] = MeasureLayers(
            model=model,
            quantized=Ref(step="quantize", output="model"),
            account=Ref(step="quantize", output="account"),
            data=samples,
            samples=Ref(step=PICK, output="samples"),
            picked=picked,
            metrics=measured.metrics,
            more=measured.more,
            layers=asked.layers,
            others=asked.others,
            part=part,
            parts=PARTS,
        )
    high = recipe.quantization.high_precision
    steps[SENSITIVITY] = MergeLayers(
        parts=tuple(Ref(step=name_part(part), output="layers") for part in range(PARTS)),
        model=model,
        picked=picked,
        layers=asked.layers,
        type=recipe.quantization.type,
        half="" if high == "fp32" else high,
    )
