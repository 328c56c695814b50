"""What an earlier bench left in the build directory, for the report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from trtbuild.core.action import Outcome
from trtbuild.core.placed import BENCH, list_models
from trtbuild.core.timing import BenchResult
from trtbuild.recipe.schema import Recipe
from trtbuild.store.benches import read_bench

__all__ = ["read_speed"]

MOST_ROWS = 5000


def read_speed(directory: Path, recipe: Recipe, outcomes: Sequence[Outcome]) -> BenchResult | None:
    """Return the last bench of a recipe, where it was of the very models that were built.

    The file may have been written by anybody: one that makes no sense is none.
    """
    found = read_bench(directory / BENCH)
    if found is None or found.name != recipe.name or not _makes_sense(found):
        return None
    steps = {model.step: name for name, model in list_models(recipe.quantized).items()}
    built = {
        steps[outcome.step]: artifact.digest
        for outcome in outcomes
        for artifact in outcome.artifacts
        if outcome.step in steps and artifact.name == "model"
    }
    own = [each for each in found.variants if each.model in built]
    fits = all(built[each.model] == each.model_digest for each in own)
    return found if own and fits else None


def _makes_sense(found: BenchResult) -> bool:
    return 0 < len(found.rows) <= MOST_ROWS and all(
        row.host.least > 0 and row.per_second > 0 and (row.batch or 1) > 0 for row in found.rows
    )
