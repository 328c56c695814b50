"""Wishes: the precision that a recipe asks of single nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from trtbuild.core.values import matches
from trtbuild.quant.account import Precision

__all__ = ["Wishes", "means"]

OPERATOR = "op:"


def means(pattern: str, name: str, op: str) -> bool:
    """Tell whether a pattern means a node: by its name, or by its operator after `op:`."""
    if pattern.startswith(OPERATOR) and matches(pattern.removeprefix(OPERATOR), op):
        return True
    return matches(pattern, name)


@dataclass(frozen=True)
class Wishes:
    """Patterns over nodes: those that `skip` INT8, and those of a `precision`.

    What is skipped stays float, whatever its precision says. Of several precisions a node's exact
    name wins over a pattern, and the last pattern written over those before it.
    """

    skip: tuple[str, ...] = ()
    precision: Mapping[str, Precision] = field(default_factory=dict)

    def against_int8(self, name: str, op: str) -> str:
        """Say why a node must stay float; nothing if it need not."""
        for pattern in self.skip:
            if means(pattern, name, op):
                return f"skipped by the recipe: `{pattern}`"
        pattern, precision = self._asked(name, op)
        return f"the recipe asks for {precision}: `{pattern}`" if precision == "fp32" else ""

    def against_half(self, name: str, op: str) -> str:
        """Say why a node must stay in float32; nothing if 16 bits will do."""
        pattern, precision = self._asked(name, op)
        return f"the recipe asks for fp32: `{pattern}`" if precision == "fp32" else ""

    def ask_int8(self, name: str, op: str) -> bool:
        """Tell whether INT8 is asked for in so many words."""
        return not self.against_int8(name, op) and self._asked(name, op)[1] == "int8"

    def _asked(self, name: str, op: str) -> tuple[str, Precision | None]:
        if name in self.precision:
            return name, self.precision[name]
        found = [pattern for pattern in self.precision if means(pattern, name, op)]
        return (found[-1], self.precision[found[-1]]) if found else ("", None)
