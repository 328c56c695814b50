"""PrecisionRequests: the precision that a recipe asks of single nodes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from functools import cached_property
from typing import TYPE_CHECKING, Literal, Self

from trtbuild.core.errors import StepInputError
from trtbuild.core.frozen import frozen
from trtbuild.core.patterns import find_nodes, find_strongest, means_node
from trtbuild.core.quantized_types import TYPES, QuantizedName, QuantizedType
from trtbuild.model.nodes import name_of
from trtbuild.quant.protecting import PROTECT, find_protected

if TYPE_CHECKING:
    import onnx

__all__ = ["BlockSize", "PrecisionName", "PrecisionRequests"]

PrecisionName = Literal[QuantizedName, "fp32"]
BlockSize = Literal[32, 64, 128, "channel"]


@frozen
class PrecisionRequests:
    """Patterns over nodes: those that `skip` quantization, and those of a `precision`.

    What is skipped stays float, whatever its precision says. Of several precisions the most
    specific counts (`core.patterns`), whatever the order they are written in.
    """

    skip: tuple[str, ...] = ()
    precision: Mapping[str, PrecisionName] = field(default_factory=dict)
    nodes: Mapping[str, str] = field(default_factory=dict)
    """The model's nodes, name → operator: what patterns mean among them makes them specific."""
    protected: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Policies → the nodes that they keep in float, as `skip` does."""

    @classmethod
    def among(
        cls,
        nodes: Iterable[onnx.NodeProto],
        *,
        skip: tuple[str, ...] = (),
        precision: Mapping[str, PrecisionName] | None = None,
    ) -> Self:
        """Make requests of a model's nodes, before pairs and conversions add others.

        Policies among the patterns of `skip` (`protect:detection_head`) are looked up here.
        """
        everything = list(nodes)
        known = {name_of(node): node.op_type for node in everything}
        policies = [each for each in skip if each.startswith(PROTECT) and each not in known]
        named = [each.removeprefix(PROTECT) for each in policies]
        return cls(
            tuple(each for each in skip if each not in policies),
            dict(sorted((precision or {}).items())),
            known,
            {policy: find_protected(policy, everything) for policy in named},
        )

    def object_to_quantizing(self, name: str, op: str) -> str:
        """Say why a node must stay float; nothing if it need not.

        Raises:
            StepInputError: two precisions mean it, and neither is more specific.
        """
        for pattern in self._find_meaning(self.skip, name, op):
            return f"skipped by the recipe: `{pattern}`"
        for policy, names in self.protected.items():
            if name in names:
                return f"protected by the recipe: `{policy}`"
        return self.object_to_half(name, op)

    def object_to_half(self, name: str, op: str) -> str:
        """Say why a node must stay in float32; nothing if 16 bits will do.

        Raises:
            StepInputError: two precisions mean it, and neither is more specific.
        """
        pattern, precision = self._find_request(name, op)
        return f"the recipe asks for fp32: `{pattern}`" if precision == "fp32" else ""

    def requests_quantizing(self, name: str, op: str) -> bool:
        """Tell whether a quantized type is asked for in so many words."""
        return not self.object_to_quantizing(name, op) and self._find_request(name, op)[1] in TYPES

    def find_type(self, name: str, op: str, usual: QuantizedType) -> QuantizedType:
        """Return the quantized type that is asked of a node, or the usual one."""
        return TYPES.get(self._find_request(name, op)[1] or "", usual)

    @property
    def types(self) -> tuple[QuantizedType, ...]:
        """The quantized types that are asked for anywhere."""
        return tuple(dict.fromkeys(TYPES[x] for x in self.precision.values() if x in TYPES))

    def _find_request(self, name: str, op: str) -> tuple[str, PrecisionName | None]:
        found = self._find_meaning(self.precision, name, op)
        strongest = find_strongest(name, found, self._meant)
        asked = {self.precision[pattern]: pattern for pattern in reversed(strongest)}
        if len(asked) > 1:
            first, second = asked.values()
            raise StepInputError(
                f"precision: `{second}` and `{first}` both mean `{name}`",
                hint=f"give `{name}` a precision by its name",
            )
        return next(((pattern, precision) for precision, pattern in asked.items()), ("", None))

    def _find_meaning(self, patterns: Iterable[str], name: str, op: str) -> list[str]:
        return [pattern for pattern in patterns if means_node(pattern, name, op, self.nodes)]

    @cached_property
    def _meant(self) -> Mapping[str, frozenset[str]]:
        return {pattern: frozenset(find_nodes(pattern, self.nodes)) for pattern in self.precision}
