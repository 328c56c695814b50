"""Places: where a step can run on this machine, and why it cannot."""

from __future__ import annotations

from collections.abc import Mapping

from trtbuild.core.frozen import frozen
from trtbuild.core.needs import GpuNeed, Needs
from trtbuild.machine.facts import (
    GPU,
    NO_GPU,
    InstalledPackages,
    find_capabilities,
    find_missing_packages,
)
from trtbuild.machine.interpreters import find_interpreter

__all__ = ["Place", "find_lack", "find_place"]


@frozen
class Place:
    """Where a step would run."""

    facts: Mapping[str, str]
    """Versions by distribution, and `gpu`, as they are there."""
    hindrance: str = ""
    """Why the step cannot run there; empty where it can."""
    python: str = ""
    """The Python that it would run under; empty for the one that runs this."""
    where: str = ""
    """Which machines they are, where it is not this one."""


def find_place(needs: Needs, here: InstalledPackages | None = None) -> Place:
    """Say where on this machine a step would run; `here` is what is installed in this Python.

    Raises:
        MissingDependency: what is named as its Python does not run as one.
        RecipeError: the settings are wrong.
    """
    if not needs.kind:
        # Not `here or`: facts that nobody has asked for yet are empty.
        facts = InstalledPackages() if here is None else here
        return Place(facts, find_lack(needs, facts))
    found = find_interpreter(needs.kind, here)
    return Place(found.facts, found.hindrance or find_lack(needs, found.facts), found.python)


def find_lack(needs: Needs, facts: Mapping[str, str]) -> str:
    """Say what is missing where these facts hold; nothing where a step could run."""
    lacking = find_missing_packages(find_capabilities(needs.kind), facts) if needs.kind else ""
    return lacking or (_lack_of_gpu(needs.gpu, facts) if needs.gpu is not None else "")


def _lack_of_gpu(gpu: GpuNeed, facts: Mapping[str, str]) -> str:
    if GPU not in facts:
        return NO_GPU
    if gpu.capability and not facts[GPU].endswith(f"({gpu.capability})"):
        return f"it is for a GPU of compute capability {gpu.capability}, and here is {facts[GPU]}"
    return ""
