"""Replace an operator by another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from trtbuild.core.errors import StepInputError
from trtbuild.core.options import NonEmpty
from trtbuild.core.patterns import means_node
from trtbuild.core.words import join_few
from trtbuild.fixes.base import FixKind, FixLog
from trtbuild.fixes.tensors import SHOWN, iterate_all_nodes

if TYPE_CHECKING:
    import onnx
    import onnx_graphsurgeon as gs

__all__ = ["ReplaceOp"]

Attribute = int | float | str | tuple[int, ...] | tuple[float, ...] | tuple[str, ...]
ONNX = {"", "ai.onnx", None}


class ReplaceOp(FixKind):
    """Replace an operator, its domain or its attributes by others, on the same inputs and outputs.

    `{op: MyRelu6, domain: my.ops, by: Clip, by_domain: "", keep: []}`. It is yours to know that the
    two compute alike; that the new one is valid is checked, and how far results move is said where
    ONNX Runtime knows both. A node to replace must be there.
    """

    measured: ClassVar[Literal["", "equal", "moved"]] = "moved"

    kind: Literal["replace_op"]
    op: NonEmpty
    """The operator that is replaced, as the graph calls it (`Upsample`)."""
    domain: str | None = None
    """Its domain; any by default, `""` for ONNX's own."""
    nodes: tuple[NonEmpty, ...] = ()
    """Names or patterns of the nodes that are meant; by default all of that operator."""
    by: NonEmpty
    """The operator that takes its place; the same one where only attributes change."""
    by_domain: str = ""
    """The new operator's domain; ONNX's own by default. TensorRT finds plugins by name alone."""
    attributes: dict[NonEmpty, Attribute] = {}
    """Attributes to set; none by default."""
    keep: tuple[NonEmpty, ...] | None = None
    """The old attributes that stay, by name; all by default."""

    def apply(self, graph: gs.Graph) -> FixLog:
        """Change the graph in place and say what was done.

        Raises:
            StepInputError: there is no such node, or an attribute is not the new operator's.
        """
        log = FixLog()
        wanted = self._find_attributes(graph.opset)
        found = [node for node in iterate_all_nodes(graph) if self._means(node, self.op)]
        done = [node for node in iterate_all_nodes(graph) if self._is_done(node, wanted)]
        for node in found:
            attrs = {k: v for k, v in node.attrs.items() if self.keep is None or k in self.keep}
            attrs |= wanted
            if not self._is_done(node, attrs) or attrs.keys() != node.attrs.keys():
                _demand_own(self.kind, node.name, self._schema(graph.opset), attrs)
                what = f"{node.op} → {self.by}" if node.op != self.by else "attributes"
                node.op, node.domain, node.attrs = self.by, self.by_domain or None, attrs
                log.changed(node.name, what)
        if not found and not done:
            ops = sorted({node.op for node in iterate_all_nodes(graph)})
            raise StepInputError(
                f"replace_op: no node is a {self.op}{self._limits()}",
                hint=f"operators there: {join_few(ops, 2 * SHOWN)}",
            )
        if not log.changes:
            log.remark(f"replace_op: nothing is left to replace by {self.by}")
        return log

    def _limits(self) -> str:
        domain = "" if self.domain is None else f" of the domain `{self.domain}`"
        return domain + (f" named {join_few(list(self.nodes), SHOWN)}" if self.nodes else "")

    def _means(self, node: gs.Node, op: str) -> bool:
        own = self.domain is None or (node.domain or "") == self.domain
        named = not self.nodes or any(means_node(each, node.name, op) for each in self.nodes)
        return bool(node.op == op and own and named)

    def _is_done(self, node: gs.Node, attrs: Mapping[str, Any]) -> bool:
        same = node.op == self.by and (node.domain or "") == self.by_domain
        return same and all(_equal(node.attrs.get(key), value) for key, value in attrs.items())

    def _schema(self, opset: int) -> onnx.defs.OpSchema | None:
        import onnx

        if self.by_domain not in ONNX:
            return None
        known = onnx.defs.has(self.by, opset, "")
        return onnx.defs.get_schema(self.by, opset, "") if known else None

    def _find_attributes(self, opset: int) -> dict[str, Any]:
        """Return the attributes as the new operator types them: 1 may be meant for 1.0."""
        schema = self._schema(opset)
        made: dict[str, Any] = {}
        for name, value in self.attributes.items():
            declared = schema.attributes.get(name) if schema else None
            is_float = declared is not None and declared.type.name.startswith("FLOAT")
            each: Any = list(value) if isinstance(value, tuple) else value
            if is_float:
                each = [float(v) for v in each] if isinstance(each, list) else float(each)
            made[name] = each
        return made


def _demand_own(
    kind: str, node: str, schema: onnx.defs.OpSchema | None, attrs: Mapping[str, Any]
) -> None:
    if schema is None:
        return
    for name in attrs:
        if name not in schema.attributes:
            known = join_few(sorted(schema.attributes), 2 * SHOWN) or "none"
            raise StepInputError(
                f"{kind}: {schema.name} has no attribute `{name}`, which `{node}` would have",
                hint=f"`keep` says which of the old ones stay; {schema.name} has: {known}",
            )


def _equal(one: Any, other: Any) -> bool:
    import numpy as np

    if isinstance(one, float) or isinstance(other, float):
        return one is not None and bool(np.float32(one) == np.float32(other))
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_equal, one, other))
    return bool(one == other)
