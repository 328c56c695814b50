"""Which tensors are quantized, at which granularity, and which layers are left float, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from trtbuild.core.quantized_types import INT8, QuantizedType
from trtbuild.core.records import RequestedLayer
from trtbuild.core.values import Ranges
from trtbuild.model.nodes import WEIGHTED, iterate_bodies, name_of
from trtbuild.model.view import GraphView, Site
from trtbuild.quant.flow import AVERAGING, find_entries, share_limits
from trtbuild.quant.half_types import HalfType, find_half
from trtbuild.quant.layers import WeightedLayer, find_float_type, read_layers
from trtbuild.quant.limits import explain_unusable
from trtbuild.quant.placing.joined import explain_loss, list_joined
from trtbuild.quant.placing.narrow import explain_narrow
from trtbuild.quant.placing.placement import Pair, Placement, WeightCopy
from trtbuild.quant.placing.residual import find_residuals
from trtbuild.quant.quantized_graph import is_quantized
from trtbuild.quant.requests import PrecisionRequests

if TYPE_CHECKING:
    import onnx

__all__ = [
    "TRANSPOSED",
    "list_candidates",
    "list_floating",
    "list_layers_in_bodies",
    "list_observed",
    "place_pairs",
]

TRANSPOSED = "TensorRT-RTX computes ConvTranspose in float, whatever is asked"
"""Why ConvTranspose is left float; TensorRT 10 and 11 can run it in INT8."""


def list_candidates(model: onnx.ModelProto) -> list[str]:
    """Name the activations that quantization may want a range for, in graph order.

    These are the activations that weighted layers read and the skip inputs of residual Adds;
    neither `skip` nor manual ranges change the list, so a calibration serves every recipe. A model
    that is quantized already brings its own, and wants none. Of what plugins make, and what is made
    of that, nobody can find a range.

    Raises:
        StepInputError: the model is quantized in a form that no TensorRT takes.
    """
    view = GraphView(model)
    if is_quantized(view):
        return []
    sites = [(layer.index, slot) for layer in read_layers(view) for slot in layer.activations]
    sites += [(residual.add, residual.skip) for residual in find_residuals(view)]
    sites = [site for site in sites if site[0] not in view.behind]
    return list(dict.fromkeys(_tensor(view, site) for site in sorted(sites)))


def list_observed(model: onnx.ModelProto) -> list[str]:
    """Name the activations that calibration looks at, in graph order.

    Beside those that may want a range they are those that a Concat joins into one of them: whether
    one scale does for all of them is seen by their ranges.
    """
    candidates = list_candidates(model)
    view = GraphView(model)
    joined = list_joined(view, candidates)
    return [*candidates, *(name for name in joined if name not in candidates)]


def list_floating(model: onnx.ModelProto) -> list[str]:
    """Name every activation of type float32 or float16 outside bodies, in graph order.

    Implicit quantization wants a range for each of them: TensorRT chooses which it uses. What
    stands behind a plugin is left out.
    """
    view = GraphView(model)
    return [
        name
        for name in view.activations
        if view.dtype(name) in {"float", "float16"} and view.producers.get(name) not in view.behind
    ]


def place_pairs(
    model: onnx.ModelProto,
    *,
    ranges: Ranges,
    requests: PrecisionRequests | None = None,
    half: HalfType | None = None,
    into: QuantizedType = INT8,
) -> Placement:
    """Decide which operands read quantized values, by NVIDIA's advice; the model is not touched.

    - Every operand of a weighted layer: activations by one scale, weights by one for each
      output channel. A layer gets both or neither: with one alone TensorRT computes in float.
    - The skip input of a residual Add whose Conv is INT8 (see `find_residuals`).
    - No output of a weighted layer, no bias, nothing between a Conv and its BatchNormalization
      or activation: the pair of the next layer that reads the result does it.
    - A tensor has one pair, whoever reads it. Where quantized values flow on through pooling,
      Reshape, Transpose, Concat, ... into another quantized tensor, those nodes read the pair
      too, and the tensors share a scale (see `share_limits`).

    `requests` name nodes (`*/fc/*`) or operators (`op:MatMul`). ConvTranspose is left float unless
    they ask for it: TensorRT 10 and 11 can run it in INT8, TensorRT-RTX computes it in float. So is
    a layer that reads a Concat of values of unlike size, which one scale would lose, and what
    stands behind a plugin, whoever gives ranges for it: nobody could compare the result.
    So they are in every quantized type: `into` is that of all layers but those of which `requests`
    ask another, and bounds what a scale may be. A tensor that layers of two types read has a pair
    for each. Of FP8, unlike values do not lose by one scale, and layers of few channels stay
    float unless they are asked for (see `explain_narrow`).
    With `half`, or where the model itself is 16-bit, so is what reads a tensor whose scale that
    type cannot hold.
    """
    view = GraphView(model)
    requests = requests or PrecisionRequests()
    layers = read_layers(view)
    types = {each.index: requests.find_type(each.name, each.op, into) for each in layers}
    known = {each: _Known(ranges, half, each) for each in (into, *requests.types)}
    reasons = {
        layer.index: _reason(view, layer, known[types[layer.index]], requests) for layer in layers
    }
    pairs: list[Pair] = []
    weights: list[WeightCopy] = []
    remarks: list[str] = []
    for each, mine in known.items():
        chosen = [x for x in layers if types[x.index] is each and not reasons[x.index]]
        sites = [(layer.index, slot) for layer in chosen for slot in layer.activations]
        skips, told = _skips(view, {layer.index for layer in chosen}, mine, requests)
        taken = {site for pair in pairs for site in pair.sites}
        found = _pairs(view, [*sites, *skips], mine, requests)
        pairs += (replace(x, sites=tuple(s for s in x.sites if s not in taken)) for x in found)
        weights += _weights(view, chosen, each)
        remarks += told
    return Placement(
        pairs=tuple(sorted(pairs, key=lambda pair: min(pair.sites))),
        weights=tuple(weights),
        layers=(*_account_for(view, layers, reasons, types), *list_layers_in_bodies(view)),
        remarks=tuple(remarks),
    )


class _Known(NamedTuple):
    """The ranges, the 16-bit type that scales must fit, and the type that is quantized to."""

    ranges: Ranges
    half: HalfType | None
    into: QuantizedType


def _account_for(
    view: GraphView,
    layers: Sequence[WeightedLayer],
    reasons: Mapping[int, str],
    types: Mapping[int, QuantizedType],
) -> Iterator[RequestedLayer]:
    """Yield what is asked for of each layer, and why where that is a float."""
    for layer in layers:
        reason = reasons[layer.index]
        precision = find_float_type(view, layer.index) if reason else types[layer.index].name
        yield RequestedLayer(name=layer.name, op=layer.op, precision=precision, reason=reason)


def _reason(
    view: GraphView, layer: WeightedLayer, known: _Known, requests: PrecisionRequests
) -> str:
    """Say why a layer is left float; nothing if it is not."""
    if layer.reason:
        return layer.reason
    if against := requests.object_to_quantizing(layer.name, layer.op):
        return against
    unasked = not requests.requests_quantizing(layer.name, layer.op)
    if layer.index in view.behind and unasked:
        return f"it stands behind {view.behind[layer.index]}: nothing is calibrated there"
    if layer.op == "ConvTranspose" and unasked:
        # RTX 1.7.1 compiles it in float with any Q/DQ around it, on every compute capability.
        return TRANSPOSED
    tensors = [_tensor(view, (layer.index, slot)) for slot in layer.activations]
    narrow = explain_narrow(view, layer, known.into) if unasked else ""
    faults = (_no_range(view, tensor, known) for tensor in tensors)
    lacking = narrow or next(filter(None, faults), "")
    if lacking or not unasked or not known.into.evenly:
        return lacking
    table = known.ranges.tensors
    return next(filter(None, (explain_loss(view, each, table) for each in tensors)), "")


def _no_range(view: GraphView, tensor: str, known: _Known) -> str:
    """Say why a tensor cannot be quantized; nothing if it can."""
    found = known.ranges.tensors.get(tensor)
    if found is None:
        return f"there is no range for `{tensor}`"
    half = find_half(view.dtype(tensor)) or known.half
    problem = explain_unusable(found.limit, half, known.into)
    return f"the range of `{tensor}` {problem}" if problem else ""


def _skips(
    view: GraphView, chosen: set[int], known: _Known, requests: PrecisionRequests
) -> tuple[list[Site], list[str]]:
    """Return the skip inputs to quantize, and remarks on those that cannot be."""
    sites, remarks = [], []
    for residual in find_residuals(view):
        node = view.nodes[residual.add]
        if residual.conv not in chosen or _find_objection(view, residual.add, requests):
            continue
        if residual.add in view.behind:
            continue
        if problem := _no_range(view, node.input[residual.skip], known):
            remarks.append(f"the skip input of Add `{name_of(node)}` stays float: {problem}")
        else:
            sites.append((residual.add, residual.skip))
    return sites, remarks


def _pairs(
    view: GraphView, sites: Sequence[Site], known: _Known, requests: PrecisionRequests
) -> tuple[Pair, ...]:
    ranges = known.ranges
    readers: dict[str, set[Site]] = {}
    for site in sorted(sites):
        readers.setdefault(_tensor(view, site), set()).add(site)
    passing = [
        (site, source, tensor)
        for tensor in readers
        for site, source in find_entries(view, tensor, readers)
        if not _find_objection(view, site[0], requests)
    ]
    limits, others = share_limits(
        {tensor: ranges.tensors[tensor].limit for tensor in readers},
        [(source, tensor) for _, source, tensor in passing],
        [tensor for tensor in readers if ranges.tensors[tensor].origin == "manual"],
    )
    for site, source, tensor in passing:
        if limits[source] == limits[tensor]:
            readers[source].add(site)
    for tensor in readers:
        readers[tensor] |= _averaging(view, tensor, readers, requests)
    return tuple(
        Pair(tensor, limits[tensor], tuple(sorted(found)), others[tensor], known.into)
        for tensor, found in sorted(readers.items(), key=lambda item: min(item[1]))
    )


def _averaging(
    view: GraphView, tensor: str, paired: dict[str, set[Site]], requests: PrecisionRequests
) -> set[Site]:
    """Find averaging between quantized tensors: the builder may then never store floats."""
    return {
        (index, slot)
        for index, slot in view.readers[tensor]
        if (node := view.nodes[index]).op_type in AVERAGING
        and node.output[0] in paired
        and not _find_objection(view, index, requests)
    }


def _find_objection(view: GraphView, index: int, requests: PrecisionRequests) -> str:
    node = view.nodes[index]
    return requests.object_to_quantizing(name_of(node), node.op_type)


def _weights(
    view: GraphView, chosen: Sequence[WeightedLayer], into: QuantizedType
) -> tuple[WeightCopy, ...]:
    copies: dict[tuple[str, int], list[Site]] = {}
    for layer in chosen:
        if layer.weight is not None:
            site = (layer.index, layer.weight.slot)
            name = view.root(_tensor(view, site))
            copies.setdefault((name, layer.weight.axis), []).append(site)
    return tuple(
        WeightCopy(name, axis, tuple(sites), into=into) for (name, axis), sites in copies.items()
    )


def list_layers_in_bodies(view: GraphView) -> Iterator[RequestedLayer]:
    """Yield the weighted nodes inside bodies of If, Loop and Scan, which stay float, and why."""
    for node in view.nodes:
        waiting = list(iterate_bodies(node))
        while waiting:
            for inner in waiting.pop(0).node:
                waiting += iterate_bodies(inner)
                if inner.op_type in WEIGHTED:
                    yield RequestedLayer(
                        name=name_of(inner),
                        op=inner.op_type,
                        precision="fp32",
                        reason=f"it lies inside the {node.op_type} `{name_of(node)}`",
                    )


def _tensor(view: GraphView, site: Site) -> str:
    index, slot = site
    return str(view.nodes[index].input[slot])
