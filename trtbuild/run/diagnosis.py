"""What this machine can build."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trtbuild.run.facts import Gpu, Installed, Readiness, gpus, readiness

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
    extras: dict[str, str]
    """Version by distribution; empty where it is not installed."""
    installs: dict[str, str]
    """The command that installs it, by distribution."""
    store: Path


def diagnosis(store: Path) -> Diagnosis:
    """Look at what is installed, and for GPUs."""
    facts = Installed()
    return Diagnosis(
        python=facts["python"],
        gpus=gpus(),
        targets=readiness(facts),
        extras={name: facts.get(name, "") for name in EXTRAS},
        installs=EXTRAS,
        store=store,
    )
