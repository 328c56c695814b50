"""Action: what the store remembers of a step that ran."""

from __future__ import annotations

from trtbuild.core.log_levels import USUAL, LogLevel
from trtbuild.core.options import Options
from trtbuild.core.records import Artifact

__all__ = ["Action"]


class Action(Options):
    """A step that ran once and need not run again: what it was made of and what it left."""

    step: str
    digest: str
    ingredients: str
    """Canonical JSON: kept as text, so that reading an action never has to understand it."""
    artifacts: tuple[Artifact, ...]
    seconds: float
    where: str
    notes: tuple[str, ...] = ()
    """What a reader may want to know of the step."""
    warnings: tuple[str, ...] = ()
    """What a reader must look at: the result may not be what was wanted."""
    log: str = ""
    """The digest under which its log is kept; empty where it is not."""
    log_level: LogLevel = USUAL
    """How much its builder was let say."""
    caveats: tuple[str, ...] = ()
    """What must stand beside every number made from this (`seeded weights`); inherited."""
