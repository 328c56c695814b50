"""Drop nodes that return their input."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from trtbuild.fixes.base import FixKind, FixLog

if TYPE_CHECKING:
    import onnx_graphsurgeon as gs

__all__ = ["DropIdentity"]


class DropIdentity(FixKind):
    """Drop nodes that return their input: Identity, and Dropout as it is in inference.

    `y = Identity(x)`  →  readers of y read x.

    Kept where y is a graph output (that name is part of the model's signature), and where a
    Dropout's mask is read or it may be training.
    """

    equal: ClassVar[bool] = True

    kind: Literal["drop_identity"]

    def apply(self, graph: gs.Graph) -> FixLog:
        """Change the graph in place and say what was done."""
        account = FixLog()
        for node in [node for node in graph.nodes if node.op in {"Identity", "Dropout"}]:
            reason = _reason_to_keep(node, graph)
            if reason:
                account.left(node.name, reason)
                continue
            source, result = node.inputs[0], node.outputs[0]
            for reader in list(result.outputs):
                for index, tensor in enumerate(reader.inputs):
                    if tensor is result:
                        reader.inputs[index] = source
            node.outputs.clear()
            account.changed(node.name)
        return account


def _reason_to_keep(node: gs.Node, graph: gs.Graph) -> str:
    result = node.outputs[0]
    if any(result is output for output in graph.outputs):
        return "its output is a graph output"
    if node.op == "Dropout":
        if any(
            mask.outputs or any(mask is out for out in graph.outputs) for mask in node.outputs[1:]
        ):
            return "its mask is read"
        if not _in_inference(node):
            return "it may be training"
    return ""


def _in_inference(node: gs.Node) -> bool:
    import onnx_graphsurgeon as gs

    if len(node.inputs) < 3 or node.inputs[2].is_empty():  # noqa: PLR2004  # training_mode
        return True
    training = node.inputs[2]
    return isinstance(training, gs.Constant) and not bool(training.values.any())
