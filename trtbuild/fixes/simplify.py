"""Simplify the model by onnxslim."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from trtbuild.core.errors import MissingDependency, StepInputError
from trtbuild.core.words import join_few
from trtbuild.fixes.base import FixKind, FixLog
from trtbuild.fixes.rewriting import rewrite, write_model
from trtbuild.fixes.tensors import SHOWN

if TYPE_CHECKING:
    import onnx
    import onnx_graphsurgeon as gs

__all__ = ["Simplify"]

_ROUNDS = 6


class Simplify(FixKind):
    """Simplify the model by onnxslim: constants, shapes, pads, norms and repeated nodes.

    It does what `onnxslim model.onnx` does (the heir of onnx-simplifier), until nothing changes any
    more, with results held to those before. Left alone: models with Q/DQ pairs, whose constants it
    would compute, and those over 2 GB.
    """

    equal: ClassVar[bool] = True
    measured: ClassVar[Literal["", "equal", "moved"]] = "equal"
    facts: ClassVar[tuple[str, ...]] = ("onnxslim",)

    kind: Literal["simplify"]

    def apply(self, graph: gs.Graph) -> FixLog:
        """Change the graph in place and say what was done.

        Raises:
            MissingDependency: onnxslim is not installed.
        """
        log = FixLog()
        before = {node.name: node.op for node in graph.nodes}
        if reason := _find_reason(graph):
            log.remark(f"simplify: the model is left as it is: {reason}")
            return log
        for _ in range(_ROUNDS):  # what one round leaves, with its shapes, is news to the next
            text = _write(graph)
            rewrite(graph, _slim)
            if _write(graph) == text:
                break
        after = {node.name: node.op for node in graph.nodes}
        for name, op in before.items():
            if after.get(name) != op:
                log.changed(name, "" if name not in after else f"{op} → {after[name]}")
        if log.changes:
            gone, made = (_count(*both) or "none" for both in ((before, after), (after, before)))
            log.remark(
                f"simplify: {len(before)} nodes → {len(after)} (fewer: {gone}; more: {made})"
            )
        return log


def _write(graph: gs.Graph) -> bytes:
    """Return all but the shapes of tensors, which may be told in ever other words."""
    model = write_model(graph)
    del model.graph.value_info[:]
    written: bytes = model.SerializeToString(deterministic=True)
    return written


def _find_reason(graph: gs.Graph) -> str:
    """Say why a model is left alone; empty where it is not."""
    from trtbuild.fixes.pairs import DEQUANTIZE, QUANTIZE, find_linears
    from trtbuild.fixes.split_shared_weights import lies_in_file

    if any(True for op in (QUANTIZE, DEQUANTIZE) for _ in find_linears(graph, op)):
        return "it is quantized"
    import onnx_graphsurgeon as gs

    constants = (each for each in graph.tensors().values() if isinstance(each, gs.Constant))
    return "its weights lie in a file" if any(map(lies_in_file, constants)) else ""


def _slim(model: onnx.ModelProto) -> onnx.ModelProto:
    import importlib

    try:
        slim = importlib.import_module("onnxslim").slim
    except ModuleNotFoundError as error:
        raise MissingDependency(
            f"simplify: needs {error.name}, which is not installed",
            hint='pip install "trtbuild[simplify]"',
        ) from error
    from trtbuild.model.shapes import infer_shapes

    ends = [value.name for value in (*model.graph.input, *model.graph.output)]
    slimmed: onnx.ModelProto = slim(infer_shapes(model, strict=False))
    found = [value.name for value in (*slimmed.graph.input, *slimmed.graph.output)]
    if found != ends:
        raise StepInputError(
            f"simplify: onnxslim makes other inputs and outputs: {join_few(found, SHOWN)}",
            hint="leave `simplify` out of the recipe",
        )
    return slimmed


def _count(these: Mapping[str, str], others: Mapping[str, str]) -> str:
    """Say how many more of which operators are in these nodes."""
    counts = Counter(these.values())
    counts.subtract(Counter(others.values()))
    told = [f"{count} {op}" for op, count in sorted(counts.items()) if count > 0]
    return join_few(told, SHOWN)
