"""What a run came to, read from what its steps left: as much as is told where nothing is to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from trtbuild.core.action import Outcome
from trtbuild.core.comparison import Comparison
from trtbuild.core.overview import Overview, TargetResult
from trtbuild.plan.compile import name_target_step
from trtbuild.plan.profile_fit import find_samples_beyond_profiles
from trtbuild.recipe.load import LoadedRecipe
from trtbuild.store.store import Store
from trtbuild.verbs.remarks import list_warnings
from trtbuild.verbs.run_artifacts import RunArtifacts, list_engine_comparisons, list_manifests
from trtbuild.verbs.unrun_engines import list_unrun_engines

__all__ = ["drop_run_details", "make_overview"]

Told = TypeVar("Told", bound=Overview)

READ_BY_RECORDS = ("account", "checks", "histograms", "manifest", "ranges", "sensitivity")
"""The artifacts that a record is read from, beside what is told of a run in any case."""

_RUN_DETAILS: Mapping[str, dict[str, Any]] = {
    "reused": {"status": "ran"},
    "failed": {"seconds": 0.0, "log": "", "where": ""},
}
"""What of an outcome is otherwise the next time, and what a page has instead."""


def make_overview(
    loaded: LoadedRecipe, outcomes: tuple[Outcome, ...], store: Store, *, notes: tuple[str, ...]
) -> Overview:
    """Read what a run came to; all that a record would be made of is looked at, whole or not.

    Raises:
        CorruptObject: an artifact in the store turned out damaged.
    """
    recipe = loaded.recipe
    found = RunArtifacts(outcomes, store)
    read = (found.read(name_target_step(name), "result", TargetResult) for name in recipe.targets)
    targets = tuple(each for each in read if each is not None)
    comparison = found.read("compare", "comparison", Comparison)
    manifests = dict(list_manifests(recipe, found)) if recipe.profiles else {}
    overview = Overview.model_construct(  # from values that are valid already
        recipe=recipe.name,
        file=loaded.file.name,
        outcomes=outcomes,
        targets=targets,
        comparison=comparison,
        engine_comparisons=tuple(list_engine_comparisons(recipe, found)),
        unrun_engines=tuple(list_unrun_engines(recipe, outcomes, comparison)),
        notes=notes,
        warnings=(
            *list_warnings(outcomes, targets),
            *find_samples_beyond_profiles(recipe, manifests),
        ),
        caveats=tuple(dict.fromkeys(c for outcome in outcomes for c in outcome.caveats)),
    )
    found.verify_unread(READ_BY_RECORDS)
    return overview


def drop_run_details(told: Told) -> Told:
    """Return what is told of a run as a page shows it: what was made, however it came about.

    So an apply that reuses everything renders the very page of the apply that made it.
    """
    outcomes = tuple(
        outcome.model_copy(update=_RUN_DETAILS.get(outcome.status, {})) for outcome in told.outcomes
    )
    return told.model_copy(update={"outcomes": outcomes, "seconds": 0.0})
