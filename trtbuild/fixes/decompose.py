"""Write operators that TensorRT refuses as what they are made of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, Literal

from trtbuild.core.errors import StepInputError
from trtbuild.core.options import NonEmpty
from trtbuild.core.words import join_few
from trtbuild.fixes.base import FixKind, FixLog
from trtbuild.fixes.bodies import OWN_BODIES, CalledNode, find_body
from trtbuild.fixes.rewriting import rewrite
from trtbuild.fixes.tensors import SHOWN, iterate_all_nodes
from trtbuild.model.nodes import iterate_nodes, iterate_subgraphs

if TYPE_CHECKING:
    import onnx
    import onnx_graphsurgeon as gs

__all__ = ["LACKING", "Decompose"]

LACKING = (
    "AffineGrid",
    "Bernoulli",
    "CenterCropPad",
    "NegativeLogLikelihoodLoss",
    "SoftmaxCrossEntropyLoss",
    "SwiGLU",
)
"""Operators with a body in ONNX that a TensorRT lacks."""
ROUNDED = {"QLinearConv", "QLinearMatMul"}
"""Integers in between: one may come out a step away where a sum lies halfway."""
_ROUNDS = 10
DEFAULT = (*LACKING, *dict.fromkeys(op for _, op in OWN_BODIES))


class Decompose(FixKind):
    """Write operators that TensorRT refuses as what they are made of, in operators that it takes.

    By default those that no TensorRT has, or not every one: AffineGrid, Bernoulli, CenterCropPad,
    NegativeLogLikelihoodLoss, SoftmaxCrossEntropyLoss, SwiGLU (by the bodies that ONNX defines),
    QLinearConv and QLinearMatMul (as Q/DQ around float), and what ONNX Runtime's optimizer leaves:
    BiasGelu, FastGelu, FusedConv, FusedGemm, FusedMatMul, Gelu, QuickGelu and
    (Skip)(Simplified)LayerNormalization of com.microsoft.

    Whatever else has a body in ONNX can be named: GroupNormalization, LayerNormalization,
    RMSNormalization, Attention, Gelu, Mish, HardSwish, Celu, MeanVarianceNormalization, ... .
    """

    equal: ClassVar[bool] = True
    measured: ClassVar[Literal["", "equal", "moved"]] = "equal"

    kind: Literal["decompose"]
    ops: tuple[NonEmpty, ...] = ()
    """The operators, by name, of whatever domain; by default the list above."""

    def apply(self, graph: gs.Graph) -> FixLog:
        """Change the graph in place and say what was done.

        Raises:
            StepInputError: an operator that is named has no body.
        """
        log = FixLog()
        wanted = set(self.ops or DEFAULT)
        for _ in range(_ROUNDS):  # a body may hold another one that is wanted
            done = len(log.changes)
            if any(node.op in wanted for node in iterate_all_nodes(graph)):
                rewrite(graph, lambda model: self._expand(model, wanted, log))
            if len(log.changes) == done:
                break
        return log

    def _expand(
        self, model: onnx.ModelProto, wanted: Iterable[str], log: FixLog
    ) -> onnx.ModelProto:
        from trtbuild.model.functions import inline_functions

        types = _collect_types(model)
        opset = next(each.version for each in model.opset_import if not each.domain)
        for place, node in enumerate(list(iterate_nodes(model.graph.node))):
            if node.op_type not in wanted:
                continue
            called = CalledNode(node, opset, [types.get(name, b"") for name in node.input])
            body = find_body(called, f"{node.op_type}_{place}")
            if body is None:
                self._tell_no_body(node, log)
                continue
            log.changed(node.name, f"{node.op_type} → {_count(body)}")
            log.approximate |= node.op_type in ROUNDED
            model.functions.append(body)
            _keep_attributes(node, body, node.op_type, opset)
            node.domain, node.op_type = body.domain, body.name
        if not model.functions:
            return model
        domains = {each.domain for each in model.opset_import}
        for domain in {body.domain for body in model.functions} - domains:
            model.opset_import.add(domain=domain, version=1)
        return inline_functions(model, "decompose")

    def _tell_no_body(self, node: onnx.NodeProto, log: FixLog) -> None:
        if node.op_type in self.ops:
            raise StepInputError(
                f"decompose: what {node.op_type} (`{node.name}`) is made of is not known",
                hint="ONNX defines no body for it in this form and opset: raise that first "
                "(`{kind: set_opset, opset: 18}`), or write it another way, before the export or "
                "by a fix of `kind: python`",
            )
        if node.name not in dict(log.lefts):
            log.left(node.name, f"no body is known for this form of {node.op_type}")


def _collect_types(model: onnx.ModelProto) -> dict[str, bytes]:
    """Return the type of every tensor that is known, serialized."""
    import onnx

    types: dict[str, bytes] = {}
    for graph in (model.graph, *iterate_subgraphs(model.graph)):
        for value in (*graph.input, *graph.output, *graph.value_info):
            types[value.name] = value.type.SerializeToString()
        for tensor in graph.initializer:
            made = onnx.helper.make_tensor_type_proto(tensor.data_type, list(tensor.dims))
            types[tensor.name] = made.SerializeToString()
    return types


def _keep_attributes(node: onnx.NodeProto, body: onnx.FunctionProto, op: str, opset: int) -> None:
    """Leave a call the attributes that the body reads; those left out have ONNX's own defaults."""
    import onnx

    read = {*body.attribute, *(each.name for each in body.attribute_proto)}
    given = {each.name: each for each in node.attribute}
    if onnx.defs.has(op, opset, ""):
        for name, declared in onnx.defs.get_schema(op, opset, "").attributes.items():
            if name not in given and declared.default_value.name:
                given[name] = declared.default_value
    kept = [onnx.AttributeProto.FromString(given[k].SerializeToString()) for k in read & {*given}]
    del node.attribute[:]
    node.attribute.extend(sorted(kept, key=lambda each: each.name))


def _count(body: onnx.FunctionProto) -> str:
    ops = [node.op_type for node in body.node if node.op_type != "Constant"]
    return join_few(ops, SHOWN)
