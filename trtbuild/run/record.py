"""What a run left, gathered into a Record and into the files that `apply` places."""

from __future__ import annotations

from collections.abc import Iterable

from trtbuild.core.records import Artifact, Comparison, Outcome, Record, TargetResult
from trtbuild.core.store import Store
from trtbuild.plan.compile import target_name
from trtbuild.plan.plan import Plan
from trtbuild.recipe.schema import Recipe

__all__ = ["files", "gather", "settled"]

PLACES = {
    ("fix_graph", "model"): "model.fp32.onnx",
    ("quantize", "model"): "model.int8.onnx",
    ("quantize", "ranges"): "ranges.json",
    ("compare", "comparison"): "comparison.json",
}


def files(outcomes: Iterable[Outcome], recipe: Recipe) -> dict[str, Artifact]:
    """Return what to place, by path below the build directory."""
    places = dict(PLACES)
    for name in recipe.targets:
        places[target_name(name), "engine"] = f"{name}/model.engine"
        places[target_name(name), "result"] = f"{name}/engine.json"
    return {
        places[outcome.step, artifact.name]: artifact
        for outcome in outcomes
        for artifact in outcome.artifacts
        if (outcome.step, artifact.name) in places
    }


def gather(
    recipe: Recipe,
    plan: Plan,
    outcomes: tuple[Outcome, ...],
    store: Store,
    *,
    notes: tuple[str, ...],
) -> Record:
    """Read what the steps left into one value, ready to be rendered."""
    found = _Found(outcomes, store)
    comparison = found.text("compare", "comparison")
    results = [found.text(target_name(name), "result") for name in recipe.targets]
    return Record(
        recipe=recipe.name,
        file="",
        facts=plan.facts,
        outcomes=outcomes,
        targets=tuple(TargetResult.model_validate_json(text) for text in results if text),
        comparison=Comparison.model_validate_json(comparison) if comparison else None,
        caveats=tuple(dict.fromkeys(c for outcome in outcomes for c in outcome.caveats)),
    )


def settled(record: Record) -> Record:
    """Return the record as a page shows it: what was made, however this run came by it.

    So an apply that reuses everything renders the very page of the apply that made it.
    """
    outcomes = tuple(
        outcome.model_copy(
            update={"status": "ran" if outcome.status == "reused" else outcome.status}
        )
        for outcome in record.outcomes
    )
    return record.model_copy(update={"outcomes": outcomes, "seconds": 0.0})


class _Found:
    def __init__(self, outcomes: tuple[Outcome, ...], store: Store) -> None:
        self._artifacts = {
            (outcome.step, artifact.name): artifact
            for outcome in outcomes
            for artifact in outcome.artifacts
        }
        self._store = store

    def text(self, step: str, output: str) -> str:
        """Return a small artifact as text, or nothing where there is none."""
        artifact = self._artifacts.get((step, output))
        return self._store.verify(artifact).read_text() if artifact else ""
