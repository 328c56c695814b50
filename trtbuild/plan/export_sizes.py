"""What a recipe says of sizes that an export rests on: profiles, and dimensions set later."""

from __future__ import annotations

from trtbuild.fixes.set_dimension import SetDimension
from trtbuild.recipe.schema import Recipe
from trtbuild.sources.sizes import Shapes

__all__ = ["list_profiles", "list_sizes_set_later"]


def list_sizes_set_later(recipe: Recipe) -> dict[tuple[str, int], int]:
    """Return the sizes that fixes will give to dimensions, by tensor and axis."""
    return {
        (fix.tensor, fix.axis): fix.size
        for fix in recipe.fixes
        if isinstance(fix, SetDimension) and isinstance(fix.size, int)
    }


def list_profiles(recipe: Recipe) -> tuple[dict[str, Shapes], ...]:
    """Return min, opt and max of each input, by profile."""
    return tuple(
        {key: (shapes.min, shapes.opt, shapes.max) for key, shapes in profile.items()}
        for profile in recipe.profiles
    )
