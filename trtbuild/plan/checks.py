"""Which static checks a target's model is held against before it is built."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from trtbuild.backends import Target
from trtbuild.recipe.schema import Recipe
from trtbuild.steps.base import Ref

if TYPE_CHECKING:
    from trtbuild.quant.rules.build_target import BuildTarget
    from trtbuild.steps.check_model import CheckModel

__all__ = ["describe_build_target", "find_profile_shapes", "make_check_step", "name_check_step"]


def name_check_step(target: str) -> str:
    """Return the name of the step that checks a target's model."""
    return f"check_model({target})"


def make_check_step(recipe: Recipe, target: str, *, model: Ref) -> CheckModel | None:
    """Return the step that checks the model that a target is built from.

    None for a target that takes any model: one that has no types to be strict about.
    """
    backend = recipe.targets[target]
    if not backend.capabilities.typing:
        return None
    from trtbuild.steps.check_model import CheckModel

    section = recipe.quantization
    quantized = section is not None
    return CheckModel(
        model=model,
        account=Ref(step="quantize", output="account") if quantized else None,
        ranges=Ref(step="quantize", output="ranges") if quantized else None,
        target=target,
        aim=describe_build_target(backend, recipe),
        shapes=find_profile_shapes(recipe),
        allow_float=section.allow_float if section else (),
        norms_folded=any(fix.kind == "fold_batchnorm" for fix in recipe.fixes),
        off=recipe.checks.off,
    )


def describe_build_target(backend: Target, recipe: Recipe) -> BuildTarget:
    """Say of a recipe's target what the rules ask."""
    from trtbuild.quant.rules.build_target import FLOOR_BYTES, BuildTarget

    options: dict[str, Any] = backend.model_dump()
    workspace = options.get("workspace")
    return BuildTarget(
        kind=backend.kind,
        compute_capabilities=tuple(map(str, options.get("compute_capabilities", ()))),
        small_workspace_bytes=workspace if workspace and workspace < FLOOR_BYTES else None,
        plugins=bool(options.get("plugins")),
        unlike_preprocessing=", ".join(_unlike_preprocessing(recipe)),
    )


def _unlike_preprocessing(recipe: Recipe) -> Iterator[str]:
    """Yield the options of `preprocess` that calibration and comparison give differently.

    Data without the option is left out: what a file holds, or a callable does, nobody sees.
    """
    if recipe.quantization is None or recipe.quantization.data is None or recipe.compare is None:
        return
    names = (recipe.quantization.data, recipe.compare.data)
    one, other = (
        recipe.data[name].model_dump(mode="json").get("preprocess") or {} for name in names
    )
    if not one or not other:
        return
    for option in sorted(one.keys() | other.keys()):
        if one.get(option) != other.get(option):
            yield f"{option} {one.get(option)} and {other.get(option)}"


def find_profile_shapes(recipe: Recipe) -> dict[str, tuple[int, ...]]:
    """Return the shapes that engines are tuned for: those of the first profile."""
    first = recipe.profiles[0] if recipe.profiles else {}
    return {name: shapes.opt for name, shapes in first.items() if not shapes.values}
