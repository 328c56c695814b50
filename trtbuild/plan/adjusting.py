"""The steps that change weights for the sake of accuracy, where a recipe asks for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trtbuild.recipe.schema import Quantization
from trtbuild.steps.base import Ref, Step
from trtbuild.steps.capture_data import DataInput

__all__ = ["adjust_weights", "equalize", "find_float_model"]


def find_float_model(steps: Mapping[str, Step]) -> Ref:
    """Return the model that is calibrated and quantized, or made 16-bit."""
    return Ref(step="equalize" if "equalize" in steps else "fix_graph", output="model")


def equalize(section: Quantization, steps: dict[str, Step], data: Mapping[str, DataInput]) -> None:
    """Scale channels before anything is measured of them."""
    if section.data is None or not section.equalize:
        return
    from trtbuild.steps.equalize import Equalize

    steps["equalize"] = Equalize(
        model=Ref(step="fix_graph", output="model"),
        data=data[section.data],
        equalize=section.equalize,
        **_say_how_weights_are_stored(section),
    )


def _say_how_weights_are_stored(section: Quantization) -> dict[str, Any]:
    """Return what a search that rounds weights must know; nothing where none does."""
    if all(each.kind != "awq" for each in section.equalize):
        return {}
    return {
        "type": section.type,
        "block_size": section.block_size,
        "weights": section.weights,
    }


def adjust_weights(
    section: Quantization, steps: dict[str, Step], data: Mapping[str, DataInput]
) -> None:
    """Let the step that quantizes write what is fitted to its scales before it."""
    if section.data is None or not (section.rounding != "nearest" or section.bias_correction):
        return
    from trtbuild.steps.adjust_weights import AdjustWeights
    from trtbuild.steps.quantize import Quantize

    plain = steps.pop("quantize")
    assert isinstance(plain, Quantize)  # noqa: S101  # `compile` has added it
    steps["adjust_weights"] = AdjustWeights(
        quantize=plain,
        data=data[section.data],
        rounding=section.rounding == "reconstructed",
        bias=section.bias_correction,
    )
    table = Ref(step="adjust_weights", output="table")
    steps["quantize"] = plain.model_copy(update={"adjusted": table})
