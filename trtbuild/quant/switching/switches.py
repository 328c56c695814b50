"""Which operands read INT8 while only some layers of a quantized model are in INT8."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from trtbuild.model.view import GraphView, Site
from trtbuild.quant.flow import AVERAGING, find_entries
from trtbuild.quant.placing.residual import find_residuals

__all__ = ["Switches", "find_switches"]


@dataclass(frozen=True)
class Switches:
    """The quantized operands of a model, by what they stand and fall with."""

    layers: tuple[int, ...]
    """The INT8 layers, by place, in graph order."""
    owners: Mapping[Site, int]
    """An operand of a layer, or the skip input of the Add that is fused into it → that layer."""
    flows: Mapping[Site, tuple[str, frozenset[str]]]
    """An operand that hands INT8 on: the tensor that it reads, and those that its values reach."""
    tensors: Mapping[Site, str]
    """What each owned operand reads."""
    others: frozenset[Site]
    """Operands that stand and fall with no layer: they are INT8 unless one layer is alone."""

    def find_active(self, on: Collection[int], *, alone: bool = False) -> frozenset[Site]:
        """Return the operands that read INT8 while these layers are in it, and no others.

        It is what quantization would do if the other layers were skipped.
        """
        own = {site for site, layer in self.owners.items() if layer in on}
        paired = {self.tensors[site] for site in own}
        flows = {
            site
            for site, (source, reached) in self.flows.items()
            if source in paired and not paired.isdisjoint(reached)
        }
        return frozenset(own | flows | (set() if alone else self.others))


def find_switches(view: GraphView, sites: Iterable[Site], layers: Collection[int]) -> Switches:
    """Sort the quantized operands of a float model, of which some nodes are INT8 layers."""
    quantized = sorted(sites)
    fused = {(each.add, each.skip): each.conv for each in find_residuals(view)}
    owners = {site: site[0] for site in quantized if site[0] in layers}
    owners |= {site: fused[site] for site in quantized if fused.get(site) in layers}
    owners |= {site: layer for site in quantized if (layer := _find_biased(view, site)) in layers}
    tensors = {site: _name_operand(view, site) for site in owners}
    flows = _find_flows(view, tensors.values(), set(quantized) - owners.keys())
    return Switches(
        layers=tuple(sorted(layers)),
        owners=owners,
        flows=flows,
        tensors=tensors,
        others=frozenset(quantized) - owners.keys() - flows.keys(),
    )


def _name_operand(view: GraphView, site: Site) -> str:
    index, slot = site
    names = view.nodes[index].input
    return names[slot] if slot < len(names) else ""


def _find_biased(view: GraphView, site: Site) -> int:
    """Return the layer whose bias an operand is, where an Add behind it adds that; -1 for none."""
    index, slot = site
    node = view.nodes[index]
    if node.op_type != "Add" or not view.is_constant(node.input[slot]):
        return -1
    return view.producers.get(node.input[1 - slot], -1)


def _find_flows(
    view: GraphView, tensors: Iterable[str], sites: Collection[Site]
) -> dict[Site, tuple[str, frozenset[str]]]:
    paired = dict.fromkeys(tensors)
    reached: dict[Site, set[str]] = {}
    for tensor in paired:
        for site, _ in find_entries(view, tensor, paired):
            reached.setdefault(site, set()).add(tensor)
    for index, slot in sites:
        node = view.nodes[index]
        if node.op_type in AVERAGING and node.output[0] in paired:
            reached.setdefault((index, slot), set()).add(node.output[0])
    return {
        (index, slot): (view.nodes[index].input[slot], frozenset(found))
        for (index, slot), found in reached.items()
        if (index, slot) in sites
    }
