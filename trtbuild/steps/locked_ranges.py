"""Take the ranges of an earlier build instead of a calibration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from trtbuild.core.values import Ranges
from trtbuild.steps.base import Context, Step

__all__ = ["LockedRanges"]


class LockedRanges(Step):
    """Write down the ranges of a lock, or of what was built, so that nothing is calibrated.

    What calibration finds differs in the last bits from processor to processor; what is written
    down does not.
    """

    version: ClassVar[int] = 2
    outputs: ClassVar[Mapping[str, str]] = {"ranges": "ranges.json"}

    kind: Literal["locked_ranges"] = "locked_ranges"
    table: Ranges

    def run(self, context: Context) -> None:
        """Write ranges.json as calibration writes it."""
        self.write(context, "ranges", self.table)
        context.events.note("the ranges are those of an earlier build: nothing was calibrated")
