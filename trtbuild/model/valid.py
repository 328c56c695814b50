"""Hold a model against what every reader of ONNX demands: structure, names and types."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trtbuild.core.errors import StepInputError
from trtbuild.core.words import quote_whole
from trtbuild.model.nodes import iterate_subgraphs
from trtbuild.model.plugins import set_apart
from trtbuild.model.weights_file import copy_without_weights, declare_weights

if TYPE_CHECKING:
    import onnx

__all__ = ["EXPORT_AGAIN", "REPORT", "check_onnx"]

EXPORT_AGAIN = (
    "export the model again, or ask the ONNX checker: "
    "python -c \"import onnx; onnx.checker.check_model('model.onnx')\""
)
REPORT = "this is trtbuild's doing: please report it as a bug, with the model"

_TAG = re.compile(r"\[\w+InferenceError\] |Inference error\(s\): ")
_NEWER = "has unsupported type"
"""Said where an operator has a type in a later opset alone: TensorRT takes bfloat16 in any."""
_TYPES = ("[TypeInferenceError]", "inconsistent type", _NEWER)


def check_onnx(
    model: onnx.ModelProto, where: str, *, weights: bool = False, hint: str = REPORT
) -> tuple[str, ...]:
    """Check a model: the ONNX standard, nodes told apart by name, and types that fit together.

    Reads no file. The values of large weights are looked at only with `weights`. Of plugins, which
    ONNX knows nothing of, no more is asked than that they fit into the graph.

    Returns:
        What ONNX does not allow and TensorRT takes all the same.

    Raises:
        StepInputError: it is not valid; the checker's own words are quoted.
    """
    import onnx

    bare = copy_without_weights(model)
    checked = declare_weights(model) if weights else bare
    try:
        with set_apart(checked):
            onnx.checker.check_model(checked)
    except (onnx.checker.ValidationError, ValueError) as error:
        raise _refusal(where, quote_whole(str(error)) or type(error).__name__, hint) from error
    if shared := _shared_name(model.graph):
        raise _refusal(where, f"two nodes are named `{shared}`", hint)
    fault = _fault_of_types(bare)
    if _NEWER in fault:
        return (f"ONNX Runtime will not load the model: {fault}",)
    if fault:
        raise _refusal(where, fault, hint)
    return ()


def _refusal(where: str, what: str, hint: str) -> StepInputError:
    return StepInputError(f"{where}: is not a valid ONNX model: {what}", hint=hint)


def _shared_name(graph: onnx.GraphProto) -> str:
    """Return a name that two nodes of one graph have: ONNX Runtime refuses that."""
    for each in (graph, *iterate_subgraphs(graph)):
        seen: set[str] = set()
        for node in each.node:
            if node.name in seen:
                return str(node.name)
            seen |= {node.name} - {""}
    return ""


def _fault_of_types(model: onnx.ModelProto) -> str:
    """Say where types do not fit; shapes that do not are judged where they are inferred."""
    from onnx import shape_inference

    try:
        shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
    except (shape_inference.InferenceError, ValueError, RuntimeError) as error:
        lines = [line.strip() for line in str(error).splitlines()]
        found = next((line for line in lines if any(sign in line for sign in _TYPES)), "")
        return quote_whole(_TAG.sub("", found))
    return ""
