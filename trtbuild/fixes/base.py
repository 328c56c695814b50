"""GraphFix, FixLog: a change to a graph says what it did, and what it left alone and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import onnx_graphsurgeon as gs

__all__ = ["FixLog", "GraphFix"]


class FixLog:
    """What a fix changed, and what it looked at and left alone."""

    def __init__(self) -> None:
        self.changes: list[str] = []
        self.lefts: list[tuple[str, str]] = []
        self.remarks: list[str] = []

    def changed(self, name: str, what: str = "") -> None:
        """Note that a node or tensor was changed."""
        self.changes.append(f"{name}: {what}" if what else name)

    def left(self, name: str, reason: str) -> None:
        """Note that a node or tensor was left alone, and why."""
        self.lefts.append((name, reason))

    def remark(self, text: str) -> None:
        """Say what the reader of a report must know."""
        self.remarks.append(text)

    @property
    def reasons(self) -> tuple[str, ...]:
        """The reasons for what was left alone."""
        return tuple(reason for _, reason in self.lefts)


class GraphFix(Protocol):
    """A named change to a graph. Applied to its own output it changes nothing.

    It keeps nodes in topological order as far as it can; the driver sorts, drops what is dead,
    and checks.
    """

    @property
    def kind(self) -> str:
        """The name that the recipe knows it by."""

    def apply(self, graph: gs.Graph) -> FixLog:
        """Change the graph in place and say what was done."""
