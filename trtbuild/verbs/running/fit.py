"""Whether arrays fit a model or an engine, in words for whoever typed them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.backends.tensorrt.options import TrtOptions
from trtbuild.core.errors import StepInputError, UsageError
from trtbuild.core.values import TensorSpec
from trtbuild.model.feeds import demand_fit
from trtbuild.recipe.load import LoadedRecipe
from trtbuild.verbs.inspect import read_result_beside

if TYPE_CHECKING:
    import numpy as np

__all__ = ["ShapeBounds", "demand_fed", "list_profiles", "list_profiles_beside", "tell_beyond"]

ShapeBounds = Mapping[str, tuple[Sequence[int], Sequence[int]]]
"""The smallest and the largest shape that an engine takes, by input."""


def tell_beyond(feed: Mapping[str, np.ndarray], profiles: Sequence[ShapeBounds]) -> str:
    """Say so where the engine would not take what its model does; nothing without profiles."""
    if not profiles or any(_fits_profile(profile, feed) for profile in profiles):
        return ""
    given = ", ".join(f"`{name}` {list(feed[name].shape)}" for name in profiles[0] if name in feed)
    return f"; the engine would refuse {given}: no profile takes it"


def _fits_profile(profile: ShapeBounds, feed: Mapping[str, np.ndarray]) -> bool:
    return all(
        low <= size <= high
        for name, (lows, highs) in profile.items()
        if name in feed
        for low, size, high in zip(lows, feed[name].shape, highs, strict=False)
    )


def list_profiles(loaded: LoadedRecipe) -> list[ShapeBounds]:
    """Return the profiles of a recipe; none where no target has a use for them."""
    if not any(isinstance(each, TrtOptions) for each in loaded.recipe.targets.values()):
        return []
    return [
        {name: (each.min, each.max) for name, each in profile.items() if not each.values}
        for profile in loaded.recipe.profiles
    ]


def list_profiles_beside(engine: Path) -> list[ShapeBounds]:
    """Return the profiles of an engine, as far as the file beside it tells."""
    result, _ = read_result_beside(engine)
    return [
        {
            name: (shapes["min"], shapes["max"])
            for name, shapes in profile.items()
            if {"min", "max"} <= shapes.keys()
        }
        for profile in (result.profiles if result else ())
    ]


def demand_fed(feed: Mapping[str, np.ndarray], inputs: Sequence[TensorSpec], *, of: str) -> None:
    """Demand an array for each input, in words for whoever typed `--input`.

    Raises:
        UsageError: one is lacking, of another type or shape, or of no input.
    """
    try:
        demand_fit(feed, inputs, of=of)
    except StepInputError as error:
        wanted = ", ".join(
            f"`{spec.name}` {spec.dtype} [{', '.join(map(str, spec.shape))}]" for spec in inputs
        )
        hint = f"--input takes an npz file with an array for each input: {wanted}"
        raise UsageError(f"--input: {error.message}", hint=hint) from None
