"""Samples that a metric can say nothing of: NaN, and infinities where values count."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from trtbuild.core.frozen import frozen

if TYPE_CHECKING:
    import numpy as np

__all__ = ["SpoiltOutputs", "find_spoilt"]


@frozen
class SpoiltOutputs:
    """Which outputs of one side hold what in one sample."""

    side: str
    """`reference` or `candidate`."""
    nan: frozenset[str]
    infinite: frozenset[str]

    def explain(self, outputs: Collection[str], *, ranks: bool) -> str:
        """Say which of the outputs holds what; nothing where all will do.

        What only ranks scores (`ranks`) takes an infinite one for an answer.
        """
        for names, what in ((self.nan, "NaN"), (self.infinite, "infinite values")):
            found = sorted(names.intersection(outputs))
            if found and not (ranks and names is self.infinite):
                return f"the {self.side}'s `{found[0]}` holds {what}"
        return ""


def find_spoilt(side: str, rows: Mapping[str, np.ndarray]) -> SpoiltOutputs:
    """Look at all outputs of a side."""
    import numpy as np

    floats = {name: row for name, row in rows.items() if row.dtype.kind == "f"}
    return SpoiltOutputs(
        side,
        frozenset(name for name, row in floats.items() if np.isnan(row).any()),
        frozenset(name for name, row in floats.items() if np.isinf(row).any()),
    )
