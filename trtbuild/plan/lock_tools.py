"""The tools of a lock: how to get them, and which of them are not what they were."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from trtbuild.core.facts import name_package
from trtbuild.core.needs import GPU, GPU_MEMORY, INFERENCE_BATCH, INFERENCE_DEVICE
from trtbuild.plan.absent_data import MADE
from trtbuild.plan.compile import name_target_step
from trtbuild.plan.lock import Lock
from trtbuild.plan.plan import NOT_INSTALLED, Plan, PlannedStep

__all__ = [
    "MovedTool",
    "list_moved_tools",
    "list_own_tools",
    "list_pins",
    "write_install",
    "write_requirements",
]

_NO_PACKAGES = (GPU, GPU_MEMORY, INFERENCE_BATCH, INFERENCE_DEVICE, "python")


@dataclass(frozen=True)
class MovedTool:
    """A tool whose version is not the lock's, and what is made with it."""

    name: str
    before: str
    after: str
    makes: tuple[str, ...]
    """The steps that a build is made by; empty where it only measures what was made."""
    target: str = ""
    """The target that is built under a Python of its own, if it is that Python's."""

    def text(self) -> str:
        """Say it: `onnx: 1.17.0 → 1.18.0 (makes fix_graph, quantize)`."""
        place = f"{self.target}.{self.name}" if self.target else self.name
        used = f"makes {', '.join(self.makes)}" if self.makes else "only measures"
        return f"{place}: {self.before} → {self.after} ({used})"

    def remark(self) -> str:
        """Say that the lock holds although the tool is another."""
        place = f"{self.name} of target {self.target}" if self.target else self.name
        what = (
            f"what {', '.join(self.makes)} made is the same" if self.makes else "it only measures"
        )
        return f"{place} is {self.after}, and was {self.before} when this was locked: {what}"


def list_moved_tools(lock: Lock, plan: Plan) -> tuple[MovedTool, ...]:
    """Return the tools that are not as the lock has them, with the steps of a plan that use them.

    One that is not installed, then or now, is not compared: what it is for is not built there.
    """
    makers = {step.name for step in plan.cut_after(_list_makers(plan)).steps}
    owners = {name_target_step(target): target for target in lock.target_tools}
    found: dict[tuple[str, str], MovedTool] = {}
    for step in plan.steps:
        for name, now in step.facts.items():
            own = lock.target_tools.get(owners.get(step.name, ""), {})
            then = own.get(name, lock.tools.get(name, NOT_INSTALLED))
            if now == then or NOT_INSTALLED in (now, then):
                continue
            target = owners[step.name] if name in own else ""
            seen = found.get((target, name), MovedTool(name, then, now, (), target))
            makes = (*seen.makes, *([step.name] if step.name in makers else []))
            found[target, name] = MovedTool(name, then, now, makes, target)
    return tuple(found[key] for key in sorted(found))


def _list_makers(plan: Plan) -> tuple[str, ...]:
    return tuple(step.name for step in plan.steps if step.step.kind in (*MADE, "fix_graph"))


def list_own_tools(step: PlannedStep, facts: Mapping[str, str]) -> dict[str, str]:
    """Return the facts of a step that are not those of this interpreter."""
    return {n: v for n, v in step.facts.items() if v not in (facts.get(n), NOT_INSTALLED)}


def list_pins(tools: Mapping[str, str]) -> list[str]:
    """Return what pip would have to install, a pin each; what is no package is left out."""
    pins = []
    for name, fact in sorted(tools.items()):
        if fact != NOT_INSTALLED and name not in _NO_PACKAGES:
            pins += [each.replace(" ", "==") for each in name_package(name, fact).split(" and ")]
    return sorted(dict.fromkeys(pins))


def write_install(pins: list[str], python: str = "") -> str:
    """Return the one line that installs pins, be it into another Python."""
    start = f"{shlex.quote(python)} -m pip" if python else "pip"
    return f"{start} install {' '.join(map(shlex.quote, pins))}"


def write_requirements(lock: Lock, target: str = "") -> Iterator[str]:
    """Yield the lines of a requirements file that has the tools of a lock.

    Those of a target that is built under a Python of its own stand there as remarks, since they
    may be other versions of the same; with such a `target`, its are the pins.
    """
    own = lock.target_tools.get(target, {}) if target else {}
    pins = list_pins({**lock.tools, **own})
    yield from pins
    yield from map(_remark_on_build, (pin for pin in pins if "+" in pin))
    for name in () if target else sorted(lock.target_tools):
        yield f"# under the Python of target {name}:"
        yield from (f"# {pin}" for pin in list_pins(lock.target_tools[name]))


def _remark_on_build(pin: str) -> str:
    """Say where a version with a `+` is from, which pip does not find by itself."""
    return f"# {pin}: a build of its maker's own index; pip needs --extra-index-url for it"
