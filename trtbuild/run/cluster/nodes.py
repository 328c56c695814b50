"""Nodes of a cluster: what each says it has, and which of them a step can run on."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trtbuild.core.devices import Where
from trtbuild.core.digest import digest_of_tree
from trtbuild.core.errors import NoGpu
from trtbuild.core.frozen import frozen
from trtbuild.core.needs import GPU, GPU_MEMORY, INFERENCE_BATCH, INFERENCE_DEVICE, Needs
from trtbuild.machine.distributions import MODULES, normalize_name
from trtbuild.machine.facts import InstalledPackages, list_gpus, list_target_kinds
from trtbuild.machine.places import Place, find_lack, find_place
from trtbuild.run.identity import Identity, describe_stranger, identify, read_identity

__all__ = [
    "ClusterNode",
    "FarPackages",
    "choose_nodes",
    "demand_inference",
    "look_around",
    "read_node",
]  # fmt: skip

CAPABILITY = "trtbuild.capability"
WITHOUT_GPU = "Ray was started there without its GPU (`ray start --num-gpus`)"
OF_GPU = (GPU, GPU_MEMORY, INFERENCE_BATCH, INFERENCE_DEVICE)
"""Facts that are no distributions."""
ANY = ""
"""The Python of steps that are of no kind of target."""


class FarPackages(Mapping[str, str]):
    """What is installed on a node, as `InstalledPackages` tells it of this machine."""

    def __init__(
        self, versions: Mapping[str, str], gpu: Mapping[str, str], doubt: str = ""
    ) -> None:
        self._known = {**versions, **gpu}
        self._asked: dict[str, str] = {}
        self.doubts = [doubt] if doubt else []

    def __getitem__(self, name: str) -> str:
        """Return the version of a distribution, or what GPU there is; remember the question."""
        found = self._known[name if name in OF_GPU else normalize_name(name)]
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
class ClusterNode:
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
    inference: str = ""
    """What ONNX Runtime computes on where that is a GPU: a fact."""
    batch: int | None = None
    """How many samples it computes at a time at most."""
    no_inference: str = ""
    """Why it computes on none, where a GPU is demanded."""
    doubt: str = ""
    """Why it does not, where one would be taken."""

    def place(self, needs: Needs) -> Place:
        """Say whether a step can run here, and where what holds."""
        found = self.pythons.get(needs.kind)
        if self.problem or found is None:
            return Place({}, self.problem or f"no kind of target `{needs.kind}` is known there")
        gpu, doubt = self.gpu, ""
        if not found.python:  # under another Python nothing was tried
            gpu, doubt = {**self.gpu, **self._tell_inference()}, self.doubt
        facts = FarPackages(found.versions, gpu, doubt)
        lack = found.hindrance or find_lack(needs, FarPackages(found.versions, gpu))
        if not lack and needs.inference:
            lack = self.no_inference
        if not lack and needs.gpu is not None and not self.gpus:
            lack = WITHOUT_GPU
        return Place(facts, lack, found.python)

    def _tell_inference(self) -> dict[str, str]:
        told = {INFERENCE_DEVICE: self.inference, INFERENCE_BATCH: str(self.batch or "")}
        return {name: fact for name, fact in told.items() if self.inference and fact}

    def likeness(self, needs: Needs) -> str:
        """Return what nodes have in common that are as good as each other for a step."""
        found = self.pythons[needs.kind]
        gpu = self.gpu if needs.gpu is not None else {}
        inference = self._tell_inference() if needs.inference else {}
        return digest_of_tree([found.versions, gpu, inference])


def look_around(where: Where = "cpu") -> dict[str, Any]:
    """Say what this machine has, for its kinds of targets; runs on a node, and is plain values.

    `where` says what ONNX Runtime shall compute on.
    """
    # Ray hides GPUs from what asks for none of them; all that it may give out count here.
    os.environ.pop("CUDA_VISIBLE_DEVICES", None)
    gpus = list_gpus()
    return {
        "host": socket.gethostname(),
        "identity": identify().model_dump(mode="json"),
        "gpu": {GPU: gpus[0].in_words(), GPU_MEMORY: str(gpus[0].memory_bytes)} if gpus else {},
        "sorts": sorted({gpu.in_words() for gpu in gpus}),
        "pythons": {kind: _look_at(kind) for kind in (ANY, *list_target_kinds())},
        **_look_at_inference(where),
    }


def _look_at_inference(where: Where) -> dict[str, str]:
    here = InstalledPackages(inference=where)
    try:
        device = here.get(INFERENCE_DEVICE, "")
    except NoGpu as error:
        return {"device": "", "no_device": f"{error.message} (hint: {error.hint})", "doubt": ""}
    return {"device": device, "no_device": "", "doubt": "; ".join(here.doubts)}


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


def read_node(
    told: Mapping[str, Any] | None, state: Mapping[str, Any], batch: int | None = None
) -> ClusterNode:
    """Return a node by what it told of itself (None: nothing), and what Ray tells of it.

    On a GPU, ONNX Runtime computes so many samples at a time at most.
    """
    resources, labels = state.get("Resources", {}), state.get("Labels", {})
    found = told or {"host": state.get("NodeManagerHostname", "a node"), "gpu": {}, "pythons": {}}
    gpus = float(resources.get("GPU", 0.0))
    device, lack = found.get("device", ""), found.get("no_device", "")
    if device and not gpus:
        device, lack = "", WITHOUT_GPU
    return ClusterNode(
        id=str(state["NodeID"]),
        host=str(found["host"]),
        cpus=float(resources.get("CPU", 0.0)),
        gpus=gpus,
        gpu=_read_labels(labels) or dict(found["gpu"]),
        pythons={kind: _FarPython(**each) for kind, each in found["pythons"].items()},
        problem=_find_problem(told),
        inference=device,
        batch=batch,
        no_inference=lack,
        doubt=found.get("doubt", ""),
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


def choose_nodes(
    nodes: Sequence[ClusterNode], needs: Needs
) -> tuple[tuple[ClusterNode, ...], Place]:
    """Return the nodes that a step can run on, all alike, and the place that they are.

    Of several sorts one with a GPU to compute on counts where models are computed, then the one
    with the most nodes, then the first by its digest: what a step is made of must not depend on
    which node was free. Where none can run it, the place says why.
    """
    alike: dict[str, list[ClusterNode]] = {}
    lacks: dict[str, list[str]] = {}
    for node in nodes:
        lack = node.place(needs).hindrance
        if lack:
            lacks.setdefault(lack, []).append(node.host)
        else:
            alike.setdefault(node.likeness(needs), []).append(node)
    if alike:
        _, chosen = max(alike.items(), key=lambda each: _rank(each[1], each[0], needs))
        place = chosen[0].place(needs)
        hosts = list(dict.fromkeys(node.host for node in chosen))
        where = ", ".join(hosts[:3]) + (f" and {len(hosts) - 3} more" if len(hosts) > 3 else "")  # noqa: PLR2004
        gpu = chosen[0].gpu.get(GPU, "") if needs.gpu is not None else ""
        return tuple(chosen), Place(place.facts, "", place.python, f"{where}{gpu and f', {gpu}'}")
    told = "; ".join(f"{', '.join(dict.fromkeys(hosts))}: {lack}" for lack, hosts in lacks.items())
    facts = next((node.place(needs).facts for node in nodes if not node.problem), {})
    return (), Place(facts, f"no worker can: {told}" if told else "there is no worker")


def _rank(nodes: Sequence[ClusterNode], likeness: str, needs: Needs) -> tuple[bool, int, str]:
    return needs.inference and bool(nodes[0].inference), len(nodes), likeness


def demand_inference(nodes: Sequence[ClusterNode]) -> None:
    """Demand a node on whose GPU ONNX Runtime computes.

    Raises:
        NoGpu: there is none; says why of each.
    """
    if any(node.inference for node in nodes):
        return
    told = dict.fromkeys(f"{node.host}: {node.problem or node.no_inference}" for node in nodes)
    raise NoGpu(
        f"on no worker ONNX Runtime computes on a GPU: {'; '.join(told) or 'there is no worker'}",
        hint="`--device auto` takes the CPU of those that have none",
    )
