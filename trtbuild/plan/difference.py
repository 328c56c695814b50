"""Change, Diff: what differs between two recipes or locks, as values to be shown."""

from __future__ import annotations

from typing import Literal

from trtbuild.core.options import Options
from trtbuild.measure.noise import FigureVerdict
from trtbuild.plan.range_diff import RangeDiff

__all__ = ["Change", "Diff", "DiffVerdict", "FigureChange", "GateChange", "ListChange", "Loosened"]

DiffVerdict = Literal["worse", "better", "mixed", "noise", "same", "unknown"]
"""What the results say: `mixed` is better in one and worse in another; `unknown` where a side has
none."""


class Change(Options):
    """One fact that differs."""

    what: str
    before: str | int | float | bool | None = None
    """None where there was none."""
    after: str | int | float | bool | None = None
    bits: float | None = None
    """What it does to INT8's resolution, for a limit: log2(after / before), lost where positive."""


class ListChange(Options):
    """A list that differs, compared as a set: the order of its items is told by `reordered`."""

    what: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    reordered: bool = False
    """The items are the same, in another order."""


class FigureChange(Options):
    """A figure on both sides, and what its movement says."""

    output: str
    metric: str
    before: float
    after: float
    verdict: FigureVerdict
    interval_before: tuple[float, float] | None = None
    """Where it lies, 95 % sure; None where that is not known."""
    interval_after: tuple[float, float] | None = None
    unit: str | None = None
    """Of a figure that is no metric by name; None for those that are."""
    reference: str = "FP32"
    """What the reference is, after."""
    reference_before: float | None = None
    """The reference's own figure, for metrics that have one."""
    reference_after: float | None = None
    samples: int = 0
    """How many it was measured on after; 0 where that is not known."""
    paired: bool = False
    """It was measured on the same samples, which were compared one by one."""
    lost: tuple[str, ...] = ()
    """Samples that were right and are wrong, by name where it is known."""
    gained: tuple[str, ...] = ()


class GateChange(Options):
    """A gate that does not pass now, or did not before."""

    gate: str
    before: bool | None
    """Whether it passed; None where it was not asked for, or is not known."""
    after: bool | None
    judged: bool = True
    told: str = ""
    """What was found, after; before, where it is not asked for any more."""


class Loosened(Options):
    """Something that a recipe demanded of its results, and demands less of or not any more."""

    what: str
    told: str


class Diff(Options):
    """All that differs between two sides; in each part the worst comes first."""

    before: str
    after: str
    only: Literal["", "before", "after"] = ""
    """The side that alone has the recipe; nothing else is then said of it."""
    summary: tuple[str, ...] = ()
    """What that recipe is, and came to."""
    verdict: DiffVerdict = "same"
    gates: tuple[GateChange, ...] = ()
    loosened: tuple[Loosened, ...] = ()
    """What is not demanded any more, or less: gates that are gone have no verdict that could fail.
    """
    figures: tuple[FigureChange, ...] = ()
    """What `measures` holds and was measured on both sides, each judged."""
    wrong: tuple[str, ...] = ()
    """Problems of a recipe that is wrong at a revision; nothing else is then said of it."""
    measures: tuple[Change, ...] = ()
    targets: tuple[Change, ...] = ()
    """Engines: what was delivered, sizes, versions."""
    recipe: tuple[Change, ...] = ()
    """Defaults are filled in; places of files, comments and order do not count."""
    lists: tuple[ListChange, ...] = ()
    """The lists among those, whose items `recipe` names by their places."""
    sources: tuple[Change, ...] = ()
    tools: tuple[Change, ...] = ()
    ranges: RangeDiff | None = None
    """What calibration found, where the results of both sides are known."""
    reruns: tuple[str, ...] | None = None
    """Steps that are not the same; None where it cannot be known, as `notes` say."""
    seconds: tuple[Change, ...] = ()
    """How long the steps took that are not the same, where they ran on this machine."""
    notes: tuple[str, ...] = ()

    @property
    def failed(self) -> tuple[GateChange, ...]:
        """The gates that do not pass now."""
        return tuple(gate for gate in self.gates if gate.after is False)

    @property
    def differ(self) -> bool:
        """Tell whether anything does; how long a step takes is no difference in meaning."""
        moved = self.ranges is not None and self.ranges.differ
        facts = (self.measures, self.targets, self.recipe, self.sources, self.tools, self.reruns)
        return moved or any(facts) or bool(self.only or self.wrong)
