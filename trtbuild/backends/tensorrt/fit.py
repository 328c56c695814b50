"""Whether an engine fits a machine: judged by what is known of both, without loading it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from trtbuild.backends.base import BuiltEngine, Fit
from trtbuild.backends.tensorrt.flavour import Flavour
from trtbuild.core.facts import read_version
from trtbuild.core.needs import GPU, read_capability

__all__ = ["is_newer", "judge_by_capability", "judge_by_gpu"]

NO_GPU = "there is no NVIDIA GPU with a driver here to hold it against"


def judge_by_capability(flavour: Flavour, engine: BuiltEngine, facts: Mapping[str, str]) -> Fit:
    """Judge an engine that is for compute capabilities, and for one version of its library."""
    here = _find_library(flavour, facts)
    if here and here != engine.version:
        return Fit(
            "no", f"it is of {flavour.family} {engine.version}; {here} is here, and runs no other"
        )
    if GPU not in facts:
        return Fit("not known", NO_GPU)
    if read_capability(facts[GPU]) not in engine.built_for:
        built = ", ".join(engine.built_for)
        return Fit("no", f"it is for compute capability {built}; here is {facts[GPU]}")
    if not here:
        return Fit("not known", f"{flavour.family} is not installed here")
    return Fit("yes", f"{flavour.family} {here} is here, and {facts[GPU]}")


def judge_by_gpu(flavour: Flavour, engine: BuiltEngine, facts: Mapping[str, str]) -> Fit:
    """Judge an engine that is for the GPU it was built on, by engine.json if there is one."""
    here = _find_library(flavour, facts)
    gpu = facts.get(GPU, "")
    result = engine.result
    named = result.versions.get(GPU, "") if result else ""
    if another := _judge_version(flavour, engine, here):
        return another
    if not gpu:
        return Fit("not known", NO_GPU)
    if result and named not in {"", gpu} and "hardware_compatibility_level" not in result.options:
        return Fit("no", f"it was built on {named}; here is {gpu}")
    if not here or not named:
        lacking = "nothing here says for which GPU it was built"
        return Fit("not known", lacking if here else f"{flavour.family} is not installed here")
    return Fit("yes", f"{flavour.family} {here} is here, and {gpu}")


def _judge_version(flavour: Flavour, engine: BuiltEngine, here: str) -> Fit | None:
    """Judge an engine of another version than the library that is here; None if it is of that."""
    result = engine.result
    if here in {"", engine.version} or (
        result and result.options.get("version_compatible") == "on"
    ):
        return None
    told = f"it is of {flavour.family} {engine.version}; {here} is here"
    if result is not None or not is_newer(here, engine.version):
        return Fit("no", told)
    return Fit("not known", f"{told}, and runs it if it was built as version-compatible")


def _find_library(flavour: Flavour, facts: Mapping[str, str]) -> str:
    """Return the version of the library that runs engines; empty where it is not installed."""
    return next((read_version(facts[name]) for name in flavour.libraries if name in facts), "")


def is_newer(version: str, other: str) -> bool:
    """Tell whether a version is the newer one: `10.16.1.11` is newer than `10.9`."""
    return _numbers(version) > _numbers(other)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))
