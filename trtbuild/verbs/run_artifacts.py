"""The small artifacts of a run, read as the values they are."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TypeVar

from trtbuild.core.action import Outcome
from trtbuild.core.comparison import Comparison
from trtbuild.core.options import Options
from trtbuild.data.base import Manifest
from trtbuild.plan.compile import name_capture_step
from trtbuild.plan.engine_runs import name_engine_comparison
from trtbuild.recipe.schema import Recipe
from trtbuild.store.artifacts import read_artifact
from trtbuild.store.store import Store

__all__ = ["RunArtifacts", "list_engine_comparisons", "list_manifests"]

Text = TypeVar("Text", bound=Options)


class RunArtifacts:
    """The small artifacts of a run, read as the values they are."""

    def __init__(self, outcomes: tuple[Outcome, ...], store: Store) -> None:
        self._artifacts = {
            (outcome.step, artifact.name): artifact
            for outcome in outcomes
            for artifact in outcome.artifacts
        }
        self._store = store
        self._read: set[tuple[str, str]] = set()

    def read(self, step: str, output: str, kind: type[Text]) -> Text | None:
        """Return an artifact as a value, or None where the run did not make it."""
        artifact = self._artifacts.get((step, output))
        if artifact is None:
            return None
        self._read.add((step, output))
        return read_artifact(self._store, artifact, kind)

    def verify_unread(self, outputs: Collection[str]) -> None:
        """Hold those of these outputs to their digests that were not read.

        Raises:
            CorruptObject: one of them is damaged; it has been removed.
        """
        for place, artifact in self._artifacts.items():
            if artifact.name in outputs and place not in self._read:
                self._store.verify(artifact)


def list_engine_comparisons(recipe: Recipe, found: RunArtifacts) -> Iterator[Comparison]:
    """Yield how each engine that could run compares with the reference."""
    for name in recipe.targets:
        compared = found.read(name_engine_comparison(name), "comparison", Comparison)
        if compared is not None:
            yield compared


def list_manifests(recipe: Recipe, found: RunArtifacts) -> Iterator[tuple[str, Manifest]]:
    """Yield the manifest of each data source that was captured."""
    for name in recipe.data:
        manifest = found.read(name_capture_step(name), "manifest", Manifest)
        if manifest is not None:
            yield name, manifest
