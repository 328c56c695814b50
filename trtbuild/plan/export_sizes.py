"""What a recipe says of sizes that an export rests on: profiles, and dimensions set later."""

from __future__ import annotations

from pathlib import Path

from trtbuild.recipe.schema import Recipe
from trtbuild.sources.base import Source
from trtbuild.sources.sizes import Shapes, Sizes

__all__ = ["choose_export_sizes", "list_profiles", "list_shapes", "list_value_inputs"]


def choose_export_sizes(recipe: Recipe, source: Source, base: Path) -> Sizes:
    """Return the sizes at which a model is exported: the recipe's own, or a reference."""
    return source.sizes(list_shapes(recipe), _list_sizes_set_later(recipe), base)


def _list_sizes_set_later(recipe: Recipe) -> dict[tuple[str, int], int]:
    """Return the sizes that fixes will give to dimensions, by tensor and axis."""
    return {
        (fix.tensor, fix.axis): fix.size
        for fix in recipe.fixes
        if fix.kind == "set_dimension" and isinstance(fix.size, int)
    }


def list_profiles(recipe: Recipe) -> tuple[dict[str, Shapes], ...]:
    """Return min, opt and max of each input, by profile: shapes, or values."""
    return tuple(
        {key: (shapes.min, shapes.opt, shapes.max) for key, shapes in profile.items()}
        for profile in recipe.profiles
    )


def list_value_inputs(recipe: Recipe) -> tuple[str, ...]:
    """Return the inputs for which profiles have values."""
    named = {name for each in recipe.profiles for name, shapes in each.items() if shapes.values}
    return tuple(sorted(named))


def list_shapes(recipe: Recipe) -> tuple[dict[str, Shapes], ...]:
    """Return min, opt and max shapes of each input, by profile."""
    values = list_value_inputs(recipe)
    return tuple(
        {name: shapes for name, shapes in profile.items() if name not in values}
        for profile in list_profiles(recipe)
    )
