"""What an earlier search left in the build directory, for the report."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from trtbuild.core.errors import MissingFile
from trtbuild.core.placed import TUNING
from trtbuild.core.regular_files import read_regular
from trtbuild.core.tuning import Tuning

__all__ = ["read_tuning"]

MOST_TRIALS = 1000
"""A search that builds a model each minute would take a day for more."""
MOST_DB = 1e4
"""No two float64 are further apart."""
MOST_BYTES = 4 << 20


def read_tuning(directory: Path, recipe: str) -> Tuning | None:
    """Return what the last search for a recipe found; None where none did.

    The file may have been written by anybody: one that makes no sense is none.
    """
    try:
        found = Tuning.model_validate_json(read_regular(directory / TUNING, most_bytes=MOST_BYTES))
    except (MissingFile, ValidationError):
        return None
    return found if found.recipe == recipe and _makes_sense(found) else None


def _makes_sense(found: Tuning) -> bool:
    """Tell whether each trial builds on an earlier one, and has a share of the work in INT8."""
    return 0 <= found.best < len(found.trials) <= MOST_TRIALS and all(
        (trial.of is None or 0 <= trial.of < index)
        and 0 <= trial.int8_share <= 1
        and trial.size_bytes >= 0
        and (trial.sqnr_db is None or abs(trial.sqnr_db) < MOST_DB)
        for index, trial in enumerate(found.trials)
    )
