"""What a reader of the report must know about a quantization: what is float, what had no effect."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

from trtbuild.core.patterns import find_matches, find_nodes
from trtbuild.core.quantized_types import TYPES, join_words
from trtbuild.core.records import RequestedLayer
from trtbuild.core.values import Ranges
from trtbuild.core.words import join_few
from trtbuild.model.nodes import name_of
from trtbuild.model.plugins import is_plugin
from trtbuild.model.view import GraphView
from trtbuild.quant.account import WeightAccount
from trtbuild.quant.requests import PrecisionRequests

__all__ = [
    "name_few",
    "note_distant",
    "note_float_layers",
    "note_idle_manual",
    "note_plugins",
    "note_protected",
    "note_unmatched_requests",
    "note_weights",
]

FAR = 8.0
"""Between a range by hand and what calibration saw: three bits, beyond what cutting off a tail, or
leaving room above, explains. Pictures in 0..255 for a range of 0..1 are 255 times off."""

SHOWN = 5
"""How many names a note lists before it counts the rest."""


def note_float_layers(layers: Iterable[RequestedLayer]) -> Iterator[str]:
    """Say which layers stay float, grouped by reason, in the order of first appearance."""
    groups: dict[str, list[str]] = {}
    for layer in layers:
        if layer.precision not in TYPES:
            groups.setdefault(layer.reason, []).append(f"{layer.op} `{layer.name}`")
    for reason, names in groups.items():
        verb = "stays" if len(names) == 1 else "stay"
        yield f"{name_few(names)} {verb} float: {reason}"


def note_plugins(view: GraphView) -> Iterator[str]:
    """Say of each plugin what stands behind it: nothing there has a range, or is compared."""
    groups: dict[str, list[str]] = {}
    for index, plugin in view.behind.items():
        node = view.nodes[index]
        rest = groups.setdefault(plugin, [])
        if not is_plugin(node):
            rest.append(f"{node.op_type} `{name_of(node)}`")
    for plugin, names in groups.items():
        yield f"not calibrated, not compared: behind {plugin}" + (
            f": {name_few(names)}" if names else ""
        )


def note_idle_manual(
    view: GraphView,
    paired: AbstractSet[str],
    layers: Iterable[RequestedLayer],
    manual: Mapping[str, tuple[float, float]],
) -> Iterator[str]:
    """Say which manual ranges had no effect, since they mean no `paired` tensor, and why."""
    known = {layer.name: layer.precision for layer in layers}
    floats = {name for name, precision in known.items() if precision not in TYPES}
    nobody = f"nothing reads it in {join_words(known.values())}"
    for pattern in manual:
        names = find_matches(pattern, view.activations)
        if not names:
            yield f"the range for `{pattern}` has no effect: no tensor has such a name"
        elif paired.isdisjoint(names):
            readers = (
                name_of(view.nodes[index])
                for name in names
                for index, _ in view.readers.get(name, ())
            )
            left = [f"`{reader}`" for reader in dict.fromkeys(readers) if reader in floats]
            why = f"{name_few(left)} reads it and stays float" if left else nobody
            yield f"the range for `{pattern}` has no effect: {why}"


def note_distant(paired: Iterable[str], ranges: Ranges) -> Iterator[str]:
    """Say which `paired` tensors have a range by hand that is far from what calibration saw.

    Then either the range is wrong, or the data is not preprocessed as whoever gave it had it.
    """
    for name in sorted(paired):
        found = ranges.tensors[name]
        if found.origin != "manual" or found.observed is None:
            continue
        largest = max(map(abs, found.observed))
        if largest and not 1 / FAR <= found.limit / largest <= FAR:
            low, high = found.observed
            yield (
                f"the range by hand of `{name}`, ±{found.limit:.4g}, is far from the {low:.4g} to "
                f"{high:.4g} that calibration saw: check the range, or the data's preprocessing"
            )


def note_unmatched_requests(view: GraphView, requests: PrecisionRequests) -> Iterator[str]:
    """Say which patterns mean no node."""
    nodes = {name_of(node): node.op_type for node in view.nodes}
    for field, patterns in (("skip", requests.skip), ("precision", requests.precision)):
        for pattern in patterns:
            if not find_nodes(pattern, nodes):
                yield f"{field}: `{pattern}` matches no node"


def note_protected(requests: PrecisionRequests) -> Iterator[str]:
    """Say which lines of `skip` each policy stands for."""
    for policy, names in requests.protected.items():
        lines = f"stands for `skip: [{', '.join(names)}]`" if names else "finds nothing to keep"
        yield f"`protect: {policy}` {lines}"


def note_weights(weights: Iterable[WeightAccount]) -> Iterator[str]:
    """Say which weights have channels that INT8 cannot or hardly represent."""
    found = list(weights)
    for kind, what in (
        ("dead", "hold nothing but zeros"),
        ("tiny", "are under a millionth of their weight's largest value"),
    ):
        counts = [(weight, len(getattr(weight, kind))) for weight in found]
        names = [f"`{weight.name}` {n} of {weight.channels}" for weight, n in counts if n]
        if names:
            yield f"weight channels that {what}: {name_few(names)}"


def name_few(names: Sequence[str]) -> str:
    """Name the first few, and count the rest."""
    return join_few(names, SHOWN)
