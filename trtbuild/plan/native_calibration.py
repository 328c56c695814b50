"""The step in which TensorRT 10 calibrates, where a recipe asks for that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from trtbuild.plan.adjusting import find_float_model
from trtbuild.plan.export_sizes import list_shapes
from trtbuild.recipe.schema import Recipe
from trtbuild.steps.base import Step
from trtbuild.steps.capture_data import DataInput

if TYPE_CHECKING:
    from trtbuild.backends.tensorrt10 import Tensorrt10

__all__ = ["calibrate_natively", "find_native_targets"]


def calibrate_natively(
    recipe: Recipe, steps: dict[str, Step], data: Mapping[str, DataInput]
) -> None:
    """Let TensorRT make the table that trtbuild's own calibration would have made.

    It is the first target of TensorRT 10 that says how: its plugins and precisions are the build's.
    """
    section = recipe.quantization
    if section is None or section.calibrate_with != "tensorrt" or section.data is None:
        return
    found = section.calibrator
    (_, target), *_ = _tens(recipe)
    if found is None or found.kind == "cache":
        return
    from trtbuild.steps.calibrate_natively import CalibrateNatively

    steps["calibrate"] = CalibrateNatively(
        model=find_float_model(steps),
        data=data[section.data],
        calibrator=found,
        backend=target,
        # TensorRT takes the last profile for calibration.
        opt={name: opt for name, (_, opt, _) in (list_shapes(recipe) or ({},))[-1].items()},
    )


def find_native_targets(recipe: Recipe, steps: Mapping[str, Step]) -> dict[str, str]:
    """Name, by step, the target under whose Python TensorRT calibrates; empty where it does not."""
    if "calibrate" not in steps or steps["calibrate"].kind != "calibrate_natively":
        return {}
    (name, _), *_ = _tens(recipe)
    return {"calibrate": name}


def _tens(recipe: Recipe) -> list[tuple[str, Tensorrt10]]:
    return [
        (name, target) for name, target in recipe.targets.items() if target.kind == "tensorrt10"
    ]
