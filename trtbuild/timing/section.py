"""The section `bench` of a recipe."""

from typing import Annotated

from pydantic import Field

from trtbuild.core.load import Load
from trtbuild.core.options import Options
from trtbuild.core.protocol import Protocol
from trtbuild.timing.gates import SpeedGate
from trtbuild.timing.kinds import AnyRunner

__all__ = ["Bench"]

Shape = Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)]


class Bench(Options):
    """How fast what is built is, as `trtbuild bench` measures it; `apply` measures nothing."""

    batches: tuple[Annotated[int, Field(ge=1)], ...] = ()
    """Batch sizes to time at, other axes as the first profile's `opt` has them. Without these and
    `shapes`: the `min`, `opt` and `max` of each profile."""
    shapes: tuple[dict[str, Shape], ...] = ()
    """Whole sets of shapes to time at, by input; what one leaves out is as the model has it."""
    data: str | None = None
    """The data set whose samples are fed; the comparison's by default, or calibration's. Where it
    has none of the shapes, inputs are drawn from the protocol's `seed`, which rows say."""
    runners: tuple[AnyRunner, ...] = ()
    """What runs the models. All that there is by default: what cannot run here is named, with the
    reason."""
    protocol: Protocol | None = None
    """How calls are timed; as usual where nothing is said."""
    load: Load | None = None
    """Requests that come at a rate of their own, whether or not those before are answered: what a
    service of one caller would make of them. None by default."""
    gates: tuple[SpeedGate, ...] = ()
    """Rules on times that must hold; where one fails, `bench` ends with exit code 1. What did not
    run is not judged, which is said, and stands in the way of nothing."""
