"""Fold batch norms into the layers before them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from trtbuild.fixes.base import FixKind, FixLog

if TYPE_CHECKING:
    import numpy as np
    import onnx_graphsurgeon as gs

__all__ = ["FoldBatchnorm"]

WEIGHTED = {"Conv", "ConvTranspose", "Gemm"}
SHOWN = 3


class FoldBatchnorm(FixKind):
    """Fold batch norms into the Conv, ConvTranspose or Gemm before them.

    `BatchNormalization(W x + b)`  →  `(s W) x + (s b + t)`
    with s = gamma / sqrt(variance + epsilon), t = beta - s mean, one of each an output channel.

    Computed in float64, then rounded once. Left alone where the layer's output has other
    readers, where a parameter is not constant, in training mode, and where the result would
    overflow the weights' type.
    """

    equal: ClassVar[bool] = True

    kind: Literal["fold_batchnorm"]

    def apply(self, graph: gs.Graph) -> FixLog:
        """Change the graph in place and say what was done."""
        account = FixLog()
        for norm in [node for node in graph.nodes if node.op == "BatchNormalization"]:
            reason = _reason_to_keep(norm, graph)
            layer = norm.inputs[0].inputs[0] if not reason else norm
            reason = reason or _fold(norm, layer, graph)
            if reason:
                account.left(norm.name, reason)
            else:
                account.changed(norm.name, f"into {layer.name}")
        if account.lefts:
            shown = "; ".join(f"{name}: {reason}" for name, reason in account.lefts[:SHOWN])
            account.remark(f"{len(account.lefts)} batch norms stay: {shown}")
        return account


def _reason_to_keep(norm: gs.Node, graph: gs.Graph) -> str:
    import onnx_graphsurgeon as gs

    between = norm.inputs[0]
    layer = between.inputs[0] if between.inputs else None
    if layer is None or layer.op not in WEIGHTED or layer.domain:
        return "it does not follow a Conv, ConvTranspose or Gemm"
    training = norm.attrs.get("training_mode", 0) or any(t.name for t in norm.outputs[1:])
    constant = [isinstance(tensor, gs.Constant) for tensor in norm.inputs[1:5]]
    weights = [isinstance(tensor, gs.Constant) for tensor in layer.inputs[1:] if tensor.name]
    reasons = {
        f"the output of {layer.name} has other readers": len(between.outputs) > 1
        or any(between is tensor for tensor in graph.outputs),
        "it is in training mode": training,
        "it is not per channel": not norm.attrs.get("spatial", 1),
        "its parameters are not constant": not all(constant),
        f"the weights of {layer.name} are not constant": not all(weights),
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def _fold(norm: gs.Node, layer: gs.Node, graph: gs.Graph) -> str:
    """Fold, or return why not."""
    import numpy as np

    weight = layer.inputs[1]
    kept = weight.values.dtype
    if kept not in (np.float16, np.float32, np.float64):
        return f"the weights of {layer.name} are {kept}"
    gamma, beta, mean, variance = (t.values.astype(np.float64) for t in norm.inputs[1:5])
    spread = variance + norm.attrs.get("epsilon", 1e-5)
    if not np.all(spread > 0):
        return "its variance is not positive"
    scale = gamma / np.sqrt(spread)
    shift = beta - scale * mean
    bias = layer.inputs[2] if len(layer.inputs) > 2 else None  # noqa: PLR2004
    old = bias.values.astype(np.float64) if bias is not None and not bias.is_empty() else 0.0
    if layer.op == "Gemm":
        old = old * layer.attrs.get("beta", 1.0)
    with np.errstate(over="ignore", invalid="ignore"):
        weights = _scale_weights(layer, weight.values.astype(np.float64), scale).astype(kept)
        biases = (old * scale + shift).astype(kept)
    if not (np.isfinite(weights).all() and np.isfinite(biases).all()):
        return f"the folded weights would overflow {kept}"
    _rewire(norm, layer, graph, weights, biases)
    return ""


def _scale_weights(layer: gs.Node, weights: np.ndarray, scale: np.ndarray) -> Any:
    """Multiply each output channel's weights by its scale.

    Conv [out, in / group, ...]; ConvTranspose [in, out / group, ...], in and out both split into
    groups; Gemm [out, in] if transB, else [in, out].
    """
    if layer.op == "Gemm":
        return weights * (scale[:, None] if layer.attrs.get("transB", 0) else scale)
    ones = (1,) * (weights.ndim - 2)
    if layer.op == "Conv":
        return weights * scale.reshape(-1, 1, *ones)
    group = layer.attrs.get("group", 1)
    split = weights.reshape(group, -1, *weights.shape[1:])
    return (split * scale.reshape(group, 1, -1, *ones)).reshape(weights.shape)


def _rewire(
    norm: gs.Node, layer: gs.Node, graph: gs.Graph, weights: np.ndarray, biases: np.ndarray
) -> None:
    layer.inputs[1] = _constant(layer.inputs[1], f"{layer.name}_weight", weights, graph)
    has_bias = len(layer.inputs) > 2 and not layer.inputs[2].is_empty()  # noqa: PLR2004
    old = layer.inputs[2] if has_bias else None
    name = layer.inputs[1].name
    wanted = f"{name.removesuffix('weight')}bias" if name.endswith(".weight") else ""
    bias = _constant(old, wanted or f"{layer.name}_bias", biases, graph)
    layer.inputs = [*layer.inputs[:2], bias]
    if layer.op == "Gemm":
        layer.attrs["beta"] = 1.0
    result = norm.outputs[0]
    norm.outputs.clear()
    layer.outputs = [result]


def _constant(
    old: gs.Tensor | None, wanted: str, values: np.ndarray, graph: gs.Graph
) -> gs.Constant:
    """Return a constant of these values; it takes the old one's name if nobody else reads it."""
    import onnx_graphsurgeon as gs

    if old is not None and len(old.outputs) == 1 and not any(old is out for out in graph.outputs):
        return gs.Constant(old.name, values)
    taken, name, count = graph.tensors(), wanted, 0
    while name in taken:
        count += 1
        name = f"{wanted}_{count}"
    return gs.Constant(name, values)
