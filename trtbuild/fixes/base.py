"""GraphFix, FixKind, FixLog: a change to a graph says what it did, and what it left and why."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol

from trtbuild.core.options import Options
from trtbuild.core.values import TensorSpec

if TYPE_CHECKING:
    import onnx_graphsurgeon as gs

__all__ = ["FixKind", "FixLog", "GraphFix"]


class FixLog:
    """What a fix changed, and what it looked at and left alone."""

    def __init__(self) -> None:
        self.changes: list[str] = []
        self.lefts: list[tuple[str, str]] = []
        self.remarks: list[str] = []
        self.approximate = False
        """Whether what was done, unlike what the kind does by rule, moves results a little."""

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

    def apply(self, graph: "gs.Graph") -> FixLog:
        """Change the graph in place and say what was done."""


class FixKind(Options):
    """What the kinds of fixes have in common."""

    equal: ClassVar[bool] = False
    """Whether the same inputs make the same outputs, by the same names and up to rounding."""
    measured: ClassVar[Literal["", "equal", "moved"]] = ""
    """Whether results before and after are compared on random inputs: to be `equal`, or to say how
    far they have `moved`. Needs ONNX Runtime."""
    facts: ClassVar[tuple[str, ...]] = ()
    """More packages whose version may change what it makes."""

    kind: str

    def apply(self, graph: "gs.Graph") -> FixLog:
        """Change the graph in place and say what was done."""
        raise NotImplementedError

    def choose_measurement(self) -> Literal["", "equal", "moved"]:
        """Return how results are compared: as the kind says, or as its options do."""
        return self.measured

    def fact_names(self) -> tuple[str, ...]:
        """Name the packages, beside those that every fix needs, that may change what it makes."""
        return (*self.facts, *(["onnxruntime"] if self.choose_measurement() else []))

    def find_files(self, base: Path) -> tuple[Path, ...]:  # noqa: ARG002  # few read any
        """Return the files that it reads."""
        return ()

    def bind(self, files: Sequence[Path]) -> GraphFix:  # noqa: ARG002  # few read any
        """Return the fix that reads these files."""
        return self

    def foresee(self, inputs: tuple[TensorSpec, ...]) -> tuple[TensorSpec, ...]:
        """Return the model's inputs as they will be, of what they are; none where nobody knows."""
        return inputs
