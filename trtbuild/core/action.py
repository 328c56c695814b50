"""Action: what the store remembers of a step that ran; Outcome: what a run says of it."""

from typing import Annotated, Literal

from pydantic import Field

from trtbuild.core.log_levels import USUAL, LogLevel
from trtbuild.core.options import Options

__all__ = ["Action", "Artifact", "Outcome", "SizeBytes", "Status"]

SizeBytes = Annotated[int, Field(ge=0, lt=1 << 63)]
"""As large as a file can be; a record that says more is none."""


class Artifact(Options):
    """A named output of a step."""

    name: str
    digest: str
    size_bytes: SizeBytes


Status = Literal["reused", "ran", "failed", "not_reached", "deferred"]


class Outcome(Options):
    """What became of one planned step."""

    step: str
    digest: str
    status: Status
    artifacts: tuple[Artifact, ...] = ()
    seconds: float = 0.0
    where: str = ""
    message: str = ""
    hint: str = ""
    log: str = ""
    """Where the log of a failed step is kept."""
    code: int = 0
    """The exit code that a failure asks for."""
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()


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
