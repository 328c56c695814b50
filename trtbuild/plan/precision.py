"""The steps that make a model 16-bit, and what of the recipe asks for them."""

from __future__ import annotations

from collections.abc import Mapping

from trtbuild.core.quantized_types import join_words
from trtbuild.plan.adjusting import find_float_model
from trtbuild.recipe.precision_rules import find_high_type
from trtbuild.recipe.schema import Precision, Recipe
from trtbuild.steps.base import Ref, Step
from trtbuild.steps.capture_data import DataInput

__all__ = ["add_conversion", "add_peaks", "find_measured_data", "name_candidate"]


def find_measured_data(recipe: Recipe) -> str | None:
    """Return the data set on which values are measured for fp16; bf16 holds all of them."""
    if recipe.quantization is not None:
        return recipe.quantization.data if recipe.quantization.high_precision == "fp16" else None
    asked = recipe.precision
    return asked.data if isinstance(asked, Precision) and asked.type == "fp16" else None


def add_peaks(recipe: Recipe, steps: dict[str, Step], data: Mapping[str, DataInput]) -> Ref | None:
    """Add the step that measures values, and return what it measures; None where none does."""
    name = find_measured_data(recipe)
    if name is None:
        return None
    from trtbuild.steps.measure_peaks import MeasurePeaks

    steps["measure_peaks"] = MeasurePeaks(model=find_float_model(steps), data=data[name])
    return Ref(step="measure_peaks", output="peaks")


def add_conversion(recipe: Recipe, steps: dict[str, Step], peaks: Ref | None) -> str:
    """Add the step that makes a model without INT8 16-bit, where it is asked for.

    Returns the name of the step whose model is to be built.
    """
    asked = recipe.precision
    section = asked if isinstance(asked, Precision) else Precision(type=asked)
    if recipe.quantization is not None or section.type == "fp32":
        return "fix_graph" if recipe.quantization is None else "quantize"
    from trtbuild.steps.convert_precision import ConvertPrecision

    steps["convert_precision"] = ConvertPrecision(
        model=find_float_model(steps),
        peaks=peaks,
        type=section.type,
        fp32=section.fp32,
        keep_io_types=section.keep_io_types,
    )
    return "convert_precision"


def name_candidate(recipe: Recipe) -> str:
    """Return what the model that is compared with the reference is called."""
    if recipe.quantization is None:
        high = find_high_type(recipe)
        return "model after fixes" if high == "fp32" else f"{high.upper()} model"
    section = recipe.quantization
    asked = {name: each for name, each in section.precision.items() if name not in section.skip}
    high, word = section.high_precision, join_words([asked.pop("*", section.type), *asked.values()])
    return f"{word} model (Q/DQ" + (")" if high == "fp32" else f", the rest {high.upper()})")
