"""Change, Diff: what differs between two recipes or locks, as values to be shown."""

from __future__ import annotations

from typing import Literal

from trtbuild.core.options import Options
from trtbuild.plan.range_diff import RangeDiff

__all__ = ["Change", "Diff"]


class Change(Options):
    """One fact that differs."""

    what: str
    before: str | int | float | bool | None = None
    """None where there was none."""
    after: str | int | float | bool | None = None
    bits: float | None = None
    """What it does to INT8's resolution, for a limit: log2(after / before), lost where positive."""


class Diff(Options):
    """All that differs between two sides; in each part the worst comes first."""

    before: str
    after: str
    only: Literal["", "before", "after"] = ""
    """The side that alone has the recipe; nothing else is then said of it."""
    wrong: tuple[str, ...] = ()
    """Problems of a recipe that is wrong at a revision; nothing else is then said of it."""
    measures: tuple[Change, ...] = ()
    targets: tuple[Change, ...] = ()
    """Engines: what was delivered, sizes, versions."""
    recipe: tuple[Change, ...] = ()
    """Defaults are filled in; places of files, comments and order do not count."""
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
    def differ(self) -> bool:
        """Tell whether anything does; how long a step takes is no difference in meaning."""
        moved = self.ranges is not None and self.ranges.differ
        facts = (self.measures, self.targets, self.recipe, self.sources, self.tools, self.reruns)
        return moved or any(facts) or bool(self.only or self.wrong)
