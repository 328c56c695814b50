"""The step that takes samples out, to be fed while models are timed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from trtbuild.core.frozen import frozen
from trtbuild.steps.base import Step
from trtbuild.steps.capture_data import DataInput

if TYPE_CHECKING:
    from trtbuild.plan.compile import CompileContext

__all__ = ["TimedData", "name_timed_samples", "pick_timed"]


@frozen
class TimedData:
    """A data set by name, and how many of its samples."""

    name: str
    count: int


def name_timed_samples(data: TimedData) -> str:
    """Return the name of the step."""
    return f"pick_samples({data.name}, {data.count})"


def pick_timed(steps: dict[str, Step], data: Mapping[str, DataInput], here: CompileContext) -> None:
    """Take the samples out that the context asks for, if it does."""
    if here.timed is None:
        return
    from trtbuild.steps.pick_samples import PickSamples

    picked = PickSamples(data=data[here.timed.name], count=here.timed.count)
    steps[name_timed_samples(here.timed)] = picked
