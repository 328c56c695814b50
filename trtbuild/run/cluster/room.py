"""How many steps a cluster runs at once, and what one takes up of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from trtbuild.core.needs import INFERENCE_DEVICE, Needs
from trtbuild.run.cluster.nodes import ClusterNode, choose_nodes
from trtbuild.run.cluster.slots import SlotSort

__all__ = ["ClusterRoom"]

SHARED_GPU = 0.25


class ClusterRoom:
    """What there is, of these nodes; each step gets a node's processors divided by `jobs`."""

    def __init__(self, nodes: Sequence[ClusterNode], jobs: int) -> None:
        self._nodes = nodes
        self._jobs = jobs

    def count(self) -> int:
        """Return how many steps there is room for in all."""
        return sum(self._count(node) for node in self._nodes)

    def _count(self, node: ClusterNode) -> int:
        return int(node.cpus) // self._cpus(node) if node.cpus >= 1 and not node.problem else 0

    def _cpus(self, node: ClusterNode) -> int:
        return max(1, int(node.cpus) // self._jobs)

    def fits(self, needs: Needs, taken: Iterable[SlotSort]) -> bool:
        """Tell whether a step may start beside what is taken up: by processors, and GPUs."""
        running = [*taken]
        if len(running) >= self.count():
            return False
        wanted = self.sort(needs).gpus
        nodes = choose_nodes(self._nodes, needs)[0] or self._nodes
        used = sum(each.gpus for each in running)
        return not wanted or used + wanted <= sum(node.gpus for node in nodes)

    def sort(self, needs: Needs, *, but_not: frozenset[str] = frozenset()) -> SlotSort:
        """Return what a step takes up, and on which nodes, some left out; none where none is left.

        To compute a model, a GPU is shared.
        """
        nodes, place = choose_nodes(self._nodes, needs)
        nodes = tuple(node for node in nodes if node.id not in but_not)
        computes = needs.inference and INFERENCE_DEVICE in place.facts
        shared = SHARED_GPU if computes or needs.gpu is not None else 0.0
        gpu = 1.0 if needs.gpu is not None and needs.gpu.alone else shared
        cpus = min((self._cpus(node) for node in nodes), default=1)
        return SlotSort(tuple(node.id for node in nodes), cpus, gpu, needs.memory_bytes or 0)
