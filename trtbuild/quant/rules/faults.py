"""A fault as a line of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trtbuild.core.model_checks import RuleFault
from trtbuild.core.words import join_few

__all__ = ["describe_fault"]

MANY = 5
"""Nodes named in a line; checks.json names them all."""


def describe_fault(fault: RuleFault) -> str:
    """Write a fault as a line: code, nodes, reason, and the next move or why it does not count."""
    where = join_few([f"`{name}`" for name in fault.nodes], MANY)
    end = f"turned off: {fault.off}" if fault.off else f"hint: {fault.hint}"
    return f"{fault.code} {where}{': ' if where else ''}{fault.reason} ({end})"
