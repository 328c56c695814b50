"""Nodes of a cluster: what each says it has, and which of them a step can run on."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trtbuild.core.digest import digest_of_tree
from trtbuild.core.frozen import frozen
from trtbuild.core.needs import GPU, GPU_MEMORY, Needs
from trtbuild.machine.distributions import MODULES, normalize_name
from trtbuild.machine.facts import InstalledPackages, list_gpus, list_target_kinds
from trtbuild.machine.places import Place, find_lack, find_place
from trtbuild.run.identity import Identity, describe_stranger, identify, read_identity

__all__ = ["FarPackages", "Node", "choose_nodes", "look_around", "read_node"]

CAPABILITY = "trtbuild.capability"
ANY = ""
"""The Python of steps that are of no kind of target."""


class FarPackages(Mapping[str, str]):
    """What is installed on a node, as `InstalledPackages` tells it of this machine."""

    def __init__(self, versions: Mapping[str, str], gpu: Mapping[str, str]) -> None:
        self._known = {**versions, **gpu}
        self._asked: dict[str, str] = {}
        self.doubts: list[str] = []

    def __getitem__(self, name: str) -> str:
        """Return the version of a distribution, or what GPU there is; remember the question."""
        found = self._known[name if name in (GPU, GPU_MEMORY) else normalize_name(name)]
        self._asked[name] = found
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._asked)

    def __len__(self) -> int:
        return len(self._asked)


@frozen
class _FarPython:
    """What is installed for a kind of target on a node, under which Python."""

    versions: dict[str, str]
    hindrance: str
    python: str


@frozen
class Node:
    """A node of a cluster, as it told of itself."""

    id: str
    host: str
    cpus: float
    gpus: float
    gpu: dict[str, str]
    """The facts of its GPU; empty where there is none."""
    pythons: dict[str, _FarPython]
    problem: str = ""
    """Why nothing can run there; empty where something can."""

    def place(self, needs: Needs) -> Place:
        """Say whether a step can run here, and where what holds."""
        found = self.pythons.get(needs.kind)
        if self.problem or found is None:
            return Place({}, self.problem or f"no kind of target `{needs.kind}` is known there")
        facts = FarPackages(found.versions, self.gpu)
        lack = found.hindrance or find_lack(needs, FarPackages(found.versions, self.gpu))
        if not lack and needs.gpu is not None and not self.gpus:
            lack = "Ray was started there without its GPU (`ray start --num-gpus`)"
        return Place(facts, lack, found.python)

    def likeness(self, needs: Needs) -> str:
        """Return what nodes have in common that are as good as each other for a step."""
        found = self.pythons[needs.kind]
        gpu = self.gpu if needs.gpu is not None else {}
        return digest_of_tree([found.versions, gpu])


def look_around() -> dict[str, Any]:
    """Say what this machine has, for its kinds of targets; runs on a node, and is plain values."""
    # Ray hides GPUs from what asks for none of them; all that it may give out count here.
    os.environ.pop("CUDA_VISIBLE_DEVICES", None)
    gpus = list_gpus()
    return {
        "host": socket.gethostname(),
        "identity": identify().model_dump(mode="json"),
        "gpu": {GPU: gpus[0].in_words(), GPU_MEMORY: str(gpus[0].memory_bytes)} if gpus else {},
        "sorts": sorted({gpu.in_words() for gpu in gpus}),
        "pythons": {kind: _look_at(kind) for kind in (ANY, *list_target_kinds())},
    }


def _look_at(kind: str) -> dict[str, Any]:
    try:
        place = find_place(Needs(kind=kind))
    except Exception as error:  # noqa: BLE001  # told to whoever plans, which shall not fail of it
        return {"versions": {}, "hindrance": str(error), "python": ""}
    facts = place.facts
    names = {*MODULES, "python"}
    if isinstance(facts, InstalledPackages):
        names |= facts.list_names()
    found = {name: facts[name] for name in sorted(names) if name in facts}
    # What is lacking is found anew where it is asked for, with the GPU that labels say is there.
    lack = find_lack(Needs(kind=kind), facts)
    return {
        "versions": found,
        "hindrance": "" if place.hindrance == lack else place.hindrance,
        "python": place.python,
    }


def read_node(told: Mapping[str, Any] | None, state: Mapping[str, Any]) -> Node:
    """Return a node by what it told of itself (None: nothing), and what Ray tells of it."""
    resources, labels = state.get("Resources", {}), state.get("Labels", {})
    found = told or {"host": state.get("NodeManagerHostname", "a node"), "gpu": {}, "pythons": {}}
    return Node(
        id=str(state["NodeID"]),
        host=str(found["host"]),
        cpus=float(resources.get("CPU", 0.0)),
        gpus=float(resources.get("GPU", 0.0)),
        gpu=_read_labels(labels) or dict(found["gpu"]),
        pythons={kind: _FarPython(**each) for kind, each in found["pythons"].items()},
        problem=_find_problem(told),
    )


def _read_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """Return the GPU that labels say a node has: `trtbuild.gpu`, `trtbuild.capability`, ..."""
    capability = labels.get(CAPABILITY)
    if capability is None:
        return {}
    name = labels.get("trtbuild.gpu", "a GPU")
    memory = labels.get("trtbuild.gpu_memory", "")
    found = {GPU: f"{name} ({capability})"}
    return {**found, GPU_MEMORY: memory} if memory else found


def _find_problem(told: Mapping[str, Any] | None) -> str:
    if told is None:
        return "it did not say what it has: is trtbuild installed there?"
    found: Identity | None = read_identity(told["identity"])
    if found is None or found.sources != identify().sources:
        return str(describe_stranger(str(told["host"]), found)["message"])
    return ""


def choose_nodes(nodes: Sequence[Node], needs: Needs) -> tuple[tuple[Node, ...], Place]:
    """Return the nodes that a step can run on, all alike, and the place that they are.

    Of several sorts the one with the most nodes counts, then the first by its digest: what a step
    is made of must not depend on which node was free. Where none can run it, the place says why.
    """
    alike: dict[str, list[Node]] = {}
    lacks: dict[str, list[str]] = {}
    for node in nodes:
        lack = node.place(needs).hindrance
        if lack:
            lacks.setdefault(lack, []).append(node.host)
        else:
            alike.setdefault(node.likeness(needs), []).append(node)
    if alike:
        _, chosen = max(alike.items(), key=lambda each: (len(each[1]), each[0]))
        place = chosen[0].place(needs)
        hosts = list(dict.fromkeys(node.host for node in chosen))
        where = ", ".join(hosts[:3]) + (f" and {len(hosts) - 3} more" if len(hosts) > 3 else "")  # noqa: PLR2004
        gpu = chosen[0].gpu.get(GPU, "") if needs.gpu is not None else ""
        return tuple(chosen), Place(place.facts, "", place.python, f"{where}{gpu and f', {gpu}'}")
    told = "; ".join(f"{', '.join(dict.fromkeys(hosts))}: {lack}" for lack, hosts in lacks.items())
    facts = next((node.place(needs).facts for node in nodes if not node.problem), {})
    return (), Place(facts, f"no worker can: {told}" if told else "there is no worker")
