"""What an engine inspector's JSON says was delivered; both layouts, TensorRT 10's and 11's."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trtbuild.backends.tensorrt.memory import measure_memory
from trtbuild.core.engine_memory import EngineMemory
from trtbuild.core.quantized_types import TYPES
from trtbuild.core.records import LayerPrecision, RequestedLayer

__all__ = [
    "InspectedLayer",
    "find_precision",
    "read_back",
    "read_layers",
    "report_delivered_by_inspector",
]

_TYPES = {
    "int8": "int8",
    "fp32": "fp32",
    "float": "fp32",
    "fp16": "fp16",
    "half": "fp16",
    "bf16": "bf16",
    "bfloat16": "bf16",
    "fp8": "fp8",
    "int4": "int4",
    "fp4": "fp4",
}
"""TensorRT's words, in small letters, and ours; what is not here is never multiplied."""
_WORD = re.compile(r"(?i)\b(bfloat16|bf16|fp32|fp16|fp8|fp4|float|half|int8|int4)\b")
_ONNX_LAYER = re.compile(r"\[ONNX Layer: (.*?)\](?=$|[\x1e\x1f\s;+]|\[ONNX Layer: )", re.DOTALL)
_FLOATS = ("fp32", "bf16", "fp16", "fp8", "fp4")
"""From the widest to the narrowest."""
_HELPERS = ("Reformat", "Constant", "NoOp", "Shuffle")
"""Layers that move a value and compute nothing: they say nothing of a node's precision."""


@dataclass(frozen=True)
class InspectedLayer:
    """A layer of an engine, and the ONNX nodes that went into it."""

    name: str
    kind: str
    inputs: tuple[str, ...]
    """Precision of each input; of those that are numbers."""
    outputs: tuple[str, ...]
    weights: str
    """Precision of its stored weights; empty where it has none."""
    nodes: tuple[str, ...]


def read_back(trt: Any, engine: Path, plugins: Sequence[Path]) -> tuple[str, EngineMemory]:
    """Load an engine; return the inspector's JSON, and the memory that it takes.

    Needs the GPU that it was built for.
    """
    from polygraphy.backend.trt import EngineFromBytes, LoadPlugins

    load: Any = EngineFromBytes(engine.read_bytes())
    if plugins:
        load = LoadPlugins([str(path) for path in plugins], load)
    loaded = load()
    inspector = loaded.create_engine_inspector()
    told = str(inspector.get_engine_information(trt.LayerInformationFormat.JSON))
    return told, measure_memory(trt, loaded)


def read_layers(text: str) -> tuple[InspectedLayer, ...] | None:
    """Read the layers of an inspector's JSON; None where it names them and says no more.

    TensorRT 10 has `Bindings` (names) and, in a layer's tensors, `Format/Datatype` in one text;
    11 has `I/O Tensors` (objects), and `Format` and `Datatype` apart.
    """
    try:
        found = json.loads(text).get("Layers", [])
    except (ValueError, AttributeError, RecursionError):
        return None
    if not found or not isinstance(found, list):
        return None
    if not all(isinstance(layer, dict) for layer in found):
        return None
    return tuple(_layer(layer) for layer in found)


def _layer(layer: Mapping[str, Any]) -> InspectedLayer:
    weights = layer.get("Weights")
    return InspectedLayer(
        name=str(layer.get("Name", "")),
        kind=str(layer.get("LayerType", "")),
        inputs=tuple(_precisions(layer.get("Inputs", []))),
        outputs=tuple(_precisions(layer.get("Outputs", []))),
        weights=_precision(str(weights.get("Type", ""))) if isinstance(weights, dict) else "",
        nodes=_nodes(str(layer.get("Metadata", "")), str(layer.get("Name", ""))),
    )


def _precisions(tensors: Any) -> Iterator[str]:
    for tensor in tensors if isinstance(tensors, list) else ():
        if isinstance(tensor, dict):
            text = tensor.get("Datatype") or tensor.get("Format/Datatype") or ""
            precision = _precision(str(text))
            if precision:
                yield precision


def _precision(text: str) -> str:
    match = _WORD.search(text)
    return _TYPES[match[1].lower()] if match else ""


def _nodes(metadata: str, name: str) -> tuple[str, ...]:
    """Return the ONNX nodes of a layer: by its metadata, else by its name (`a + b`)."""
    named = _ONNX_LAYER.findall(metadata)
    return tuple(dict.fromkeys(named or name.split(" + ")))


def report_delivered_by_inspector(
    asked: Sequence[RequestedLayer], layers: Sequence[InspectedLayer] | None, *, why_not: str = ""
) -> tuple[LayerPrecision, ...]:
    """Say for each layer what was asked for and what was delivered; the cause where they differ."""
    by_node: dict[str, list[InspectedLayer]] = {}
    for layer in layers or ():
        for node in layer.nodes:
            by_node.setdefault(node, []).append(layer)
    told = []
    for each in asked:
        found = by_node.get(each.name) or by_node.get(f"node_of_{each.name}", [])
        delivered, cause = ("unknown", why_not) if layers is None else _find_delivered(found)
        if _stores_weights(each.precision, found):
            delivered, cause = each.precision, ""
        if each.precision in TYPES and delivered not in (each.precision, "unknown"):
            cause = cause or _float_cause(found, TYPES[each.precision].word)
        told.append(
            LayerPrecision(
                name=each.name,
                op=each.op,
                asked=each.precision,
                delivered=delivered,
                cause="" if delivered == each.precision else cause,
            )
        )
    return tuple(told)


def _stores_weights(precision: str, layers: Iterable[InspectedLayer]) -> bool:
    """Tell whether weights are stored in a type that is for these alone, and was asked for."""
    into = TYPES.get(precision)
    return bool(into and into.weights_only and any(each.weights == into.name for each in layers))


def _find_delivered(layers: Iterable[InspectedLayer]) -> tuple[str, str]:
    """Return the precision that a node is multiplied in, by the engine layers it went into."""
    working = [layer for layer in layers if layer.kind not in _HELPERS]
    if not working:
        return "unknown", "the inspector names no layer that it went into"
    # Only a layer with weights multiplies by them; what else names the node holds a part of it.
    telling = [layer for layer in working if layer.weights] or working
    precisions = {find_precision(layer) for layer in telling}
    if "" in precisions:
        return "unknown", f"the layer {telling[0].name} has operands of several precisions"
    return next((word for word in _FLOATS if word in precisions), min(precisions)), ""


def find_precision(layer: InspectedLayer) -> str:
    """Return what a layer computes in; empty where it has operands of several precisions."""
    first = layer.inputs[0] if layer.inputs else ""
    if layer.weights:
        return (
            layer.weights if layer.weights == first or not first else _wider(layer.weights, first)
        )
    kinds = set(layer.inputs)
    return kinds.pop() if len(kinds) == 1 else ""


def _wider(one: str, other: str) -> str:
    return next((word for word in _FLOATS if word in (one, other)), "")


def _float_cause(layers: Sequence[InspectedLayer], word: str) -> str:
    names = ", ".join(layer.name for layer in layers[:2])
    return f"TensorRT chose a float kernel for it ({names}): no {word} one, or one that is slower"
