"""TB4xx: placements and scales that cost accuracy."""

from __future__ import annotations

from trtbuild.core.values import Range
from trtbuild.core.words import format_figure
from trtbuild.model.nodes import RANDOM, iterate_nodes, name_of
from trtbuild.quant.placing.joined import explain_loss, find_unlike_joins
from trtbuild.quant.quantized_graph import LinearNode
from trtbuild.quant.rules.subject import RuleHits, RuleSubject

__all__ = [
    "clipped_far",
    "drawn_result",
    "idle_range",
    "misfitting_range",
    "quantized_decode",
    "quantized_output",
    "unlike_preprocessing",
    "unlike_scales",
]

JOINING = frozenset({"Add", "Concat"})
RATIO = 16.0
"""Beyond it, the smaller of two joined inputs keeps less than half of its 8 bits."""
FAR = 8.0
"""A limit so many times below the largest value seen cuts off more than stray outliers."""
NARROW = 1.5
"""So many times above a manual limit, where nobody counted, values are more than a thin tail."""
CLIPPED_DB = 30.0
"""Beside it INT8's own rounding, at some 40 dB, matters."""
STEPS = 127
DECODING = frozenset({"Exp", "Sigmoid", "Softmax"})


def quantized_output(subject: RuleSubject) -> RuleHits:
    """The model's outputs are not rounded to 8 bits."""
    for name in subject.view.outputs:
        maker = subject.view.producer(name)
        if maker is not None and maker.op_type == "DequantizeLinear":
            yield name_of(maker), f"it rounds the model's output `{name}` to 8 bits"


def quantized_decode(subject: RuleSubject) -> RuleHits:
    """What a head decodes (Sigmoid, Softmax, Exp with no layer after) reads floats."""
    view = subject.view
    leads = _to_layers(subject)
    for index, node in enumerate(view.nodes):
        maker = view.producer(node.input[0]) if node.input else None
        if node.op_type not in DECODING or index in leads:
            continue
        if maker is not None and maker.op_type == "DequantizeLinear":
            yield name_of(node), f"it decodes the model's output from 8 bits ({node.op_type})"


def _to_layers(subject: RuleSubject) -> set[int]:
    """Return the places of the nodes whose results reach a weighted layer."""
    view = subject.view
    found: set[int] = set()
    waiting = [layer.index for layer in subject.layers]
    while waiting:
        for name in view.nodes[waiting.pop()].input:
            maker = view.producers.get(name)
            if maker is not None and maker not in found:
                found.add(maker)
                waiting.append(maker)
    return found


def unlike_scales(subject: RuleSubject) -> RuleHits:
    """Inputs that are joined have scales of one size."""
    for node in subject.view.nodes:
        if node.op_type not in JOINING:
            continue
        makers = (subject.view.producers.get(name) for name in node.input)
        scales = [_largest(subject.linears[each]) for each in makers if each in subject.linears]
        if len(scales) > 1 and max(scales) > RATIO * min(scales):
            ratio = max(scales) / min(scales)
            yield name_of(node), f"the scales of its inputs are {ratio:.0f} times apart"
    yield from _unlike_in_one(subject)
    yield from _left_for_it(subject)


def _unlike_in_one(subject: RuleSubject) -> RuleHits:
    """Find what is joined in float and quantized behind, with one scale for all."""
    for tensor in dict.fromkeys(stream.tensor for stream in subject.streams):
        for join in find_unlike_joins(subject.view, tensor, subject.ranges):
            if join.ratio > RATIO:
                yield join.node, join.describe()


def _left_for_it(subject: RuleSubject) -> RuleHits:
    """Find the layers that quantization left float since one scale would have lost an input."""
    account = subject.account
    reasons = {} if account is None else {layer.name: layer.reason for layer in account.layers}
    for layer in subject.layers:
        for tensor in subject.view.nodes[layer.index].input[:2]:
            lost = explain_loss(subject.view, tensor, subject.ranges)
            if lost and lost == reasons.get(layer.name):
                node = max(
                    find_unlike_joins(subject.view, tensor, subject.ranges), key=lambda j: j.ratio
                ).node
                yield node, f"{lost}; `{layer.name}` is left float for it"


def _largest(linear: LinearNode) -> float:
    return float(linear.scale.max())


def clipped_far(subject: RuleSubject) -> RuleHits:
    """A calibrated limit is not far below the largest value seen."""
    for tensor, found in subject.ranges.items():
        if found.observed is None or found.origin == "manual" or not found.limit:
            continue
        seen = max(abs(value) for value in found.observed)
        if seen > FAR * found.limit:
            yield tensor, f"its limit {found.limit:.3g} is far below what was seen, {seen:.3g}"


def misfitting_range(subject: RuleSubject) -> RuleHits:
    """A range by hand holds what calibration saw, and is not many times as wide."""
    for tensor, found in subject.ranges.items():
        misfit = _describe_misfit(found) if found.origin == "manual" else ""
        if misfit:
            yield tensor, f"its range by hand, ±{found.limit:.4g}, {misfit}"


def _describe_misfit(found: Range) -> str:
    seen = max(map(abs, found.observed)) if found.observed is not None else 0.0
    if not seen or not found.limit:
        return ""
    if found.limit > FAR * seen:
        steps = f"{STEPS * seen / found.limit:.2g} of {STEPS} steps are used"
        return f"is far wider than what calibration saw, ±{seen:.4g}: {steps}"
    if found.clipped is None or found.clipped_db is None:
        far = seen > NARROW * found.limit
        return f"cuts off what calibration saw beyond it, up to ±{seen:.4g}" if far else ""
    if found.clipped_db >= CLIPPED_DB:
        return ""
    share = format_figure(found.clipped, "share")
    return (
        f"cuts off {share} of the values that calibration saw, up to ±{seen:.4g}: that alone "
        f"leaves the tensor {found.clipped_db:.1f} dB"
    )


def drawn_result(subject: RuleSubject) -> RuleHits:
    """What the model answers follows from what it is fed: nothing in it is drawn."""
    told = (
        "draws its result: TensorRT takes no seed and draws other numbers than ONNX Runtime does, "
        "and figures compare two draws"
    )
    for node in iterate_nodes(subject.view.nodes):
        if node.op_type in RANDOM:
            yield name_of(node), f"{node.op_type} {told}"


def unlike_preprocessing(subject: RuleSubject) -> RuleHits:
    """Calibration sees data as the comparison does: preprocessed in the same way."""
    if unlike := subject.build_target.unlike_preprocessing:
        yield "", f"calibration and comparison preprocess differently: {unlike}"


def idle_range(subject: RuleSubject) -> RuleHits:
    """A range by hand has an effect: something reads its tensor in INT8."""
    if subject.account is None:
        return
    used = {tensor.name for tensor in subject.account.tensors}
    for tensor, found in subject.ranges.items():
        if found.origin == "manual" and tensor not in used and not _by_pattern(found.entry, tensor):
            yield tensor, "its range by hand has no effect: nothing reads it in INT8"


def _by_pattern(entry: str | None, tensor: str) -> bool:
    """Tell whether a pattern brought the range: it may mean more than it needs."""
    return entry is not None and entry != tensor
