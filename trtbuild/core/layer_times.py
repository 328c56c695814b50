"""Where the time of a call goes: layer by layer, with the precision asked and delivered."""

from trtbuild.core.options import Options
from trtbuild.core.spread import NotRun, Shapes

__all__ = ["LayerProfile", "LayerProfiles", "LayerTime"]


class LayerTime(Options):
    """A layer as what runs the model has it: several nodes of the model may be one."""

    name: str
    op: str
    """Its operator, in the words of what runs it."""
    asked: str = ""
    """The precision that the model asks of it (`int8`, `float`); empty where it asks none."""
    delivered: str = ""
    """What it computes in; `conversion` where it only turns one type or layout into another."""
    ms: float
    """Median of calls."""
    share: float
    """Of the time of all layers, 0 to 1."""
    between: bool = False
    """It computes in float, and what it takes and gives is INT8."""


class LayerProfile(Options):
    """A variant, taken apart: a profiler costs time, so that layers add up to more than a call."""

    variant: str
    shapes: Shapes
    calls: int
    total_ms: float
    """Of all layers together."""
    layers: tuple[LayerTime, ...]
    """The slowest first."""
    left_out: int = 0
    """How many there are beyond these."""
    remarks: tuple[str, ...] = ()


class LayerProfiles(Options):
    """All variants that could be taken apart, and why others could not."""

    profiles: tuple[LayerProfile, ...] = ()
    not_run: tuple[NotRun, ...] = ()
