"""What this machine can build."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from trtbuild.core.errors import MissingDependency
from trtbuild.machine.config import ConfiguredPython
from trtbuild.machine.facts import (
    Gpu,
    InstalledPackages,
    Readiness,
    judge_readiness,
    list_gpus,
    list_target_kinds,
)
from trtbuild.machine.inference import InferenceDevice, choose_inference_device
from trtbuild.machine.interpreters import find_configured_python, find_interpreter

__all__ = ["Diagnosis", "diagnose_machine", "judge_kinds"]

EXTRAS = {
    "torch": "pip install 'trtbuild[torch]'",
    "pillow": "pip install 'trtbuild[media]'",
    "av": "pip install 'trtbuild[video]'",
    "tokenizers": "pip install 'trtbuild[text]'",
    "soundfile": "pip install 'trtbuild[audio]'",
    "pyarrow": "pip install 'trtbuild[datasets]'",
}
"""What some recipes need beyond their targets, and what installs it."""


@dataclass(frozen=True)
class Diagnosis:
    """What a machine can build."""

    python: str
    gpus: tuple[Gpu, ...]
    targets: tuple[Readiness, ...]
    """For every kind, under the Python that it is built under."""
    pythons: dict[str, ConfiguredPython]
    """The Pythons that are named for kinds of targets, and by what."""
    inference: InferenceDevice
    """What ONNX Runtime computes on, and what is missing for a GPU."""
    extras: dict[str, str]
    """Version by distribution; empty where it is not installed."""
    installs: dict[str, str]
    """The command that installs it, by distribution."""
    store: Path


def diagnose_machine(store: Path) -> Diagnosis:
    """Look at what is installed, here and in the Pythons that are named, and for GPUs.

    Raises:
        RecipeError: the settings are wrong.
    """
    facts = InstalledPackages()
    gpus = list_gpus()
    named = {kind: find_configured_python(kind) for kind in list_target_kinds()}
    return Diagnosis(
        python=facts["python"],
        gpus=gpus,
        targets=tuple(_ready(kind) for kind in named),
        pythons={kind: each for kind, each in named.items() if each is not None},
        inference=choose_inference_device(
            "auto", facts.peek("onnxruntime"), gpus[0] if gpus else None
        ),
        extras={name: facts.get(name, "") for name in EXTRAS},
        installs=EXTRAS,
        store=store,
    )


def judge_kinds() -> tuple[Readiness, ...]:
    """Tell of every kind of target whether this machine builds it.

    Raises:
        RecipeError: the settings are wrong.
    """
    return tuple(map(_ready, list_target_kinds()))


def _ready(kind: str) -> Readiness:
    try:
        place = find_interpreter(kind)
    except MissingDependency as error:
        return replace(
            judge_readiness(kind, InstalledPackages([])), builds=False, reason=error.message
        )
    found = judge_readiness(kind, place.facts)
    if place.hindrance:
        found = replace(found, builds=False, reason=place.hindrance)
    return found
