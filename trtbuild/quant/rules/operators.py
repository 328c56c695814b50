"""TB114 to TB120: operators that a target's parser or compiler lacks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from trtbuild.core.words import join_few
from trtbuild.model.nodes import iterate_nodes, name_of
from trtbuild.model.plugins import LEARNING, ONNX, has_operator
from trtbuild.quant.quantized_graph import REFUSED
from trtbuild.quant.rules.subject import RuleHits, RuleSubject

if TYPE_CHECKING:
    import onnx

__all__ = [
    "attention_in_float32",
    "lacking_in_some",
    "lacking_kernel",
    "lacking_operator",
    "note_unknowable",
    "unknown_operator",
]

SHOWN = 5
PLAIN = 3
"""An Attention reads so many operands where it has no mask."""


def lacking_operator(subject: RuleSubject) -> RuleHits:
    """The target's parser has every operator of ONNX that the model uses."""
    from trtbuild.quant.rules.operator_lists import BY_KIND

    kind = subject.build_target.kind
    lists = [BY_KIND[kind]] if kind in BY_KIND else list(BY_KIND.values())
    for node in iterate_nodes(subject.view.nodes):
        if node.domain == LEARNING:
            yield name_of(node), f"{node.op_type} is of {LEARNING}, which no TensorRT has"
        elif node.domain in ONNX and all(node.op_type in each.lacking for each in lists):
            if subject.build_target.plugins or _is_told(node):
                continue  # a library may make it: nobody can look into one
            what = f"{lists[0].name} has no {node.op_type} ({lists[0].source})"
            yield name_of(node), what if kind in BY_KIND else f"no TensorRT has {node.op_type}"


def _is_told(node: onnx.NodeProto) -> bool:
    """Tell what TB106 speaks of."""
    return node.op_type.startswith("QLinear") or node.op_type in REFUSED


def lacking_kernel(subject: RuleSubject) -> RuleHits:
    """TensorRT-RTX has a kernel, or brings the plugin, for every operator that it parses."""
    if subject.build_target.kind == "tensorrt_rtx":
        yield from _find_lacking_kernels(subject)


def _find_lacking_kernels(subject: RuleSubject) -> RuleHits:
    from trtbuild.quant.rules.operator_lists import NO_KERNEL, NO_PLUGIN

    for node in iterate_nodes(subject.view.nodes):
        if node.domain not in ONNX:
            continue
        if node.op_type in NO_KERNEL:
            yield name_of(node), f"TensorRT-RTX has no kernel for {node.op_type} (1.7.1)"
        elif node.op_type in NO_PLUGIN and not subject.build_target.plugins:
            yield (
                name_of(node),
                f"{node.op_type} is made by a plugin that TensorRT-RTX does not bring (1.7.1)",
            )


def attention_in_float32(subject: RuleSubject) -> RuleHits:
    """Attention is in 16 bits for TensorRT-RTX, which has few kernels for it in float32."""
    if subject.build_target.kind == "tensorrt_rtx":
        yield from _find_float_attention(subject)


def _find_float_attention(subject: RuleSubject) -> RuleHits:
    view = subject.view
    for node in view.nodes:
        if node.op_type != "Attention" or node.domain not in ONNX or len(node.input) < PLAIN:
            continue
        maker = view.producer(node.input[0])
        quantized = maker is not None and maker.op_type == "DequantizeLinear"  # TB113 speaks of it
        single = view.dtype(node.input[0]) == "float"
        if single and not quantized and not _builds_in_float32(subject, node):
            yield (
                name_of(node),
                "TensorRT-RTX has no FP32 kernel for this Attention, and has one in 16 bits",
            )


def _builds_in_float32(subject: RuleSubject, node: onnx.NodeProto) -> bool:
    """Tell the two forms that were seen to build: by themselves, and within a network.

    One is [batch, sequence, channels] of sizes that are known, as many heads of keys as of queries,
    neither mask nor causal, more queries than one. The other has fewer heads of keys than of
    queries, and one query.
    """
    queries, keys = (subject.view.dims(name) for name in node.input[:2])
    if queries is None or keys is None or None in (*queries, *keys):
        return False
    numbers = {each.name: each.i for each in node.attribute}
    flat = len(queries) == PLAIN
    heads = (
        (numbers.get("q_num_heads"), numbers.get("kv_num_heads")) if flat else (queries[1], keys[1])
    )
    one_query = queries[-2] == 1
    if heads[0] != heads[1]:
        return one_query
    masked = any(node.input[PLAIN:]) or bool(numbers.get("is_causal"))
    return flat and not masked and not one_query


def unknown_operator(subject: RuleSubject) -> RuleHits:
    """What is no operator of ONNX is a plugin: the target brings it, or names its library."""
    from trtbuild.quant.rules.operator_lists import BY_KIND

    target = subject.build_target
    if target.kind in BY_KIND and not target.plugins:
        known = BY_KIND[target.kind]
        for name, op in _find_unknown(subject):
            if op not in known.plugins:
                yield name, f"{op} is no operator of ONNX, and no plugin that {known.name} brings"


def note_unknowable(subject: RuleSubject) -> Iterator[str]:
    """Say which operators a library has to make that the target names: nobody can look into it."""
    from trtbuild.quant.rules.operator_lists import BY_KIND

    target = subject.build_target
    if target.kind in BY_KIND and target.plugins:
        brought = BY_KIND[target.kind].plugins
        ops = dict.fromkeys(op for _, op in _find_unknown(subject) if op not in brought)
        if ops:
            named = join_few(list(ops), SHOWN)
            yield f"not checked: whether the libraries of the target's `plugins` make {named}"


def _find_unknown(subject: RuleSubject) -> Iterator[tuple[str, str]]:
    """Yield the nodes that the parser takes for plugins: it goes by the operator's name alone."""
    from trtbuild.quant.rules.operator_lists import KNOWN_BESIDES

    for node in iterate_nodes(subject.view.nodes):
        named = has_operator(node.op_type) or node.op_type in KNOWN_BESIDES
        if not named and node.domain != LEARNING:
            yield name_of(node), node.op_type


def lacking_in_some(subject: RuleSubject) -> RuleHits:
    """For any TensorRT: TensorRT-RTX has the operators too, and no plugin is needed."""
    if subject.build_target.kind:
        return
    yield from _find_lacking_kernels(subject)
    yield from _find_float_attention(subject)
    for name, op in _find_unknown(subject):
        yield name, f"{op} is no operator of ONNX: only a plugin makes it"
