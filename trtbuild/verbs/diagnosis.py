"""What this machine can build."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from trtbuild.core.errors import MissingDependency
from trtbuild.machine.config import Named
from trtbuild.machine.facts import Gpu, Installed, Readiness, gpus, readiness_of, target_kinds
from trtbuild.machine.interpreters import named_for, place_of

__all__ = ["Diagnosis", "diagnosis"]

EXTRAS = {
    "torch": "pip install 'trtbuild[torch]'",
    "pillow": "pip install 'trtbuild[media]'",
}
"""What some recipes need beyond their targets, and what installs it."""


@dataclass(frozen=True)
class Diagnosis:
    """What a machine can build."""

    python: str
    gpus: tuple[Gpu, ...]
    targets: tuple[Readiness, ...]
    """For every kind, under the Python that it is built under."""
    pythons: dict[str, Named]
    """The Pythons that are named for kinds of targets, and by what."""
    extras: dict[str, str]
    """Version by distribution; empty where it is not installed."""
    installs: dict[str, str]
    """The command that installs it, by distribution."""
    store: Path


def diagnosis(store: Path) -> Diagnosis:
    """Look at what is installed, here and in the Pythons that are named, and for GPUs.

    Raises:
        RecipeError: the settings are wrong.
    """
    facts = Installed()
    named = {kind: named_for(kind) for kind in target_kinds()}
    return Diagnosis(
        python=facts["python"],
        gpus=gpus(),
        targets=tuple(_ready(kind) for kind in named),
        pythons={kind: each for kind, each in named.items() if each is not None},
        extras={name: facts.get(name, "") for name in EXTRAS},
        installs=EXTRAS,
        store=store,
    )


def _ready(kind: str) -> Readiness:
    try:
        place = place_of(kind)
    except MissingDependency as error:
        return replace(readiness_of(kind, Installed([])), builds=False, reason=error.message)
    found = readiness_of(kind, place.facts)
    if place.hindrance:
        found = replace(found, builds=False, reason=place.hindrance)
    return found
