"""PrecisionRequests: the precision that a recipe asks of single nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from trtbuild.core.values import matches
from trtbuild.quant.account import PrecisionName

__all__ = ["PrecisionRequests", "matches_node"]

OPERATOR = "op:"


def matches_node(pattern: str, name: str, op: str) -> bool:
    """Tell whether a pattern means a node: by its name, or by its operator after `op:`."""
    if pattern.startswith(OPERATOR) and matches(pattern.removeprefix(OPERATOR), op):
        return True
    return matches(pattern, name)


@dataclass(frozen=True)
class PrecisionRequests:
    """Patterns over nodes: those that `skip` INT8, and those of a `precision`.

    What is skipped stays float, whatever its precision says. Of several precisions a node's exact
    name wins over a pattern, and the last pattern written over those before it.
    """

    skip: tuple[str, ...] = ()
    precision: Mapping[str, PrecisionName] = field(default_factory=dict)

    def object_to_int8(self, name: str, op: str) -> str:
        """Say why a node must stay float; nothing if it need not."""
        for pattern in self.skip:
            if matches_node(pattern, name, op):
                return f"skipped by the recipe: `{pattern}`"
        pattern, precision = self._find_request(name, op)
        return f"the recipe asks for {precision}: `{pattern}`" if precision == "fp32" else ""

    def object_to_half(self, name: str, op: str) -> str:
        """Say why a node must stay in float32; nothing if 16 bits will do."""
        pattern, precision = self._find_request(name, op)
        return f"the recipe asks for fp32: `{pattern}`" if precision == "fp32" else ""

    def requests_int8(self, name: str, op: str) -> bool:
        """Tell whether INT8 is asked for in so many words."""
        return not self.object_to_int8(name, op) and self._find_request(name, op)[1] == "int8"

    def _find_request(self, name: str, op: str) -> tuple[str, PrecisionName | None]:
        if name in self.precision:
            return name, self.precision[name]
        found = [pattern for pattern in self.precision if matches_node(pattern, name, op)]
        return (found[-1], self.precision[found[-1]]) if found else ("", None)
