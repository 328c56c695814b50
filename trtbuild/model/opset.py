"""Raise a model's opset to what Q/DQ needs, and no further."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trtbuild.core.errors import StepInputError
from trtbuild.core.words import quote_whole
from trtbuild.model.meanings import BY_AXIS, RESHAPED, RESIZED, flatten_softmaxes, keep_resizing
from trtbuild.model.names import name_nameless
from trtbuild.model.nodes import iterate_nodes
from trtbuild.model.plugins import ONNX, return_to_onnx, set_apart
from trtbuild.model.valid import check_onnx
from trtbuild.model.weights_file import declare_weights, restore_weights

if TYPE_CHECKING:
    import onnx

__all__ = ["EXPORT_ANEW", "MOST_IR", "is_outdated", "list_outdated", "raise_opset", "read_opset"]

NEEDED = 13
"""The first opset whose DequantizeLinear takes one scale for each channel."""

RUN_SINCE = 7
"""ONNX Runtime has no operator in a form that this opset replaced."""
EXPORT_ANEW = (
    "export the model again with opset 13 or above; an old file whose sizes are all fixed may be "
    "raised: onnx.version_converter.convert_version(model, 13)"
)

LEAST_IR, MOST_IR = 7, 10
"""From IR 4 on an initializer need not be an input too; IR 7 came with opset 13.

Every TensorRT and ONNX Runtime reads 10; onnx itself stamps versions that they do not.
"""


def read_opset(model: onnx.ModelProto) -> int:
    """Return the version of ONNX's own operators that a model is written in; 0 for none."""
    found = (entry.version for entry in model.opset_import if entry.domain in {"", "ai.onnx"})
    return next(found, 0)


def list_outdated(model: onnx.ModelProto) -> list[str]:
    """Name the operators that a model has in a form too old for ONNX Runtime."""
    opset = read_opset(model)
    ops = {node.op_type for node in iterate_nodes(model.graph.node) if node.domain in ONNX}
    return sorted(op for op in ops if is_outdated(op, opset))


def is_outdated(op: str, opset: int) -> bool:
    """Tell whether an operator's form in an opset was replaced before those that are run."""
    import onnx

    if not 0 < opset < RUN_SINCE or not onnx.defs.has(op, opset, ""):
        return False
    then, now = (onnx.defs.get_schema(op, each, "") for each in (opset, RUN_SINCE))
    return bool(then.since_version != now.since_version)


def raise_opset(
    model: onnx.ModelProto, needed: int = NEEDED, *, what: str = "Q/DQ by channel"
) -> tuple[onnx.ModelProto, tuple[str, ...]]:
    """Return a model that Q/DQ can be written into, and remarks on what had to change.

    The opset is raised to `needed` where it is lower, since `what` needs it, keeping the names of
    nodes and tensors.
    Initializers that are graph inputs too (a default that a caller may replace) become constants,
    which is what TensorRT takes them for.

    Raises:
        StepInputError: the opset has to be raised and cannot be.
    """
    remarks = []
    opset = read_opset(model)
    if opset < needed:
        model = _convert(model, needed, what)
        remarks.append(f"opset raised from {opset} to {needed}: {what} needs it")
    fixed = {tensor.name for tensor in model.graph.initializer}
    inputs = model.graph.input
    defaults = [index for index, value in enumerate(inputs) if value.name in fixed]
    if model.ir_version > LEAST_IR and defaults:
        names = ", ".join(f"`{inputs[index].name}`" for index in defaults)
        remarks.append(f"inputs with a default value are constants now: {names}")
    for index in reversed(defaults):
        del inputs[index]
    model.ir_version = min(max(model.ir_version, LEAST_IR), MOST_IR)
    return model, tuple(remarks)


def _convert(model: onnx.ModelProto, needed: int, what: str) -> onnx.ModelProto:
    import onnx
    import onnx.version_converter

    opset = read_opset(model)
    if RESHAPED <= opset < BY_AXIS <= needed:
        flatten_softmaxes(model)
    try:
        with set_apart(asked := declare_weights(model)):
            bare = onnx.version_converter.convert_version(asked, needed)
        return_to_onnx(bare)
        if opset < RESIZED <= needed:
            keep_resizing(model, bare)
        _restore_names(model.graph, bare.graph)
        name_nameless(bare.graph)
        check_onnx(bare, "what ONNX's converter makes of it")
    except (RuntimeError, ValueError, StepInputError) as error:
        lines = str(error).strip().splitlines() or ["no reason given"]
        raise StepInputError(
            f"the model's opset {opset} cannot be raised to {needed}, "
            f"which {what} needs: {quote_whole(lines[-1])}",
            hint=f"export the model again with opset {needed} or above",
        ) from None
    return restore_weights(bare, model)


def _restore_names(before: onnx.GraphProto, after: onnx.GraphProto) -> None:
    """Give tensors and nodes that the converter made anew the names that they had.

    A node that came through reads in each slot what it read before, by whatever name.
    """
    makers = {node.output[0]: node for node in before.node if node.output}
    made = {name for node in after.node for name in node.output}
    kept = {node.name for node in after.node}
    renamed = {
        now: was
        for node in after.node
        if node.output and (old := makers.get(node.output[0])) and old.op_type == node.op_type
        for was, now in zip(old.input, node.input, strict=False)
        if was != now and was in makers and was not in made
    }
    for node in after.node:
        for names in (node.input, node.output):
            for slot, name in enumerate(names):
                names[slot] = renamed.get(name, name)
        if not node.name and node.output and (old := makers.get(node.output[0])):
            node.name = "" if old.name in kept else old.name
    for info in after.value_info:
        info.name = renamed.get(info.name, info.name)
