"""What a metric is held against: the reference's outputs, labels, or both."""

from __future__ import annotations

from typing import Literal

from trtbuild.core.errors import StepInputError
from trtbuild.measure.base import Subject

__all__ = ["NO_LABELS", "Against", "choose_sides"]

Against = Literal["labels", "reference"]
NO_LABELS = "the data has no labels for it"


def choose_sides(
    against: Against | None, subject: Subject, *, kind: str, labels: str, numbers: bool = False
) -> tuple[bool, bool]:
    """Return whether labels count, and whether the reference does.

    Without `against` both do, labels where there are some. `labels` says what they must be; with
    `numbers` one whole number is such a label as well.

    Raises:
        StepInputError: labels are asked for, and there are none.
    """
    known = subject.truth is not None or (numbers and subject.classes is not None)
    if against == "labels" and not known:
        raise StepInputError(
            f"`kind: {kind}` is to be held against labels, and the data has none",
            hint=f"say where they are ({labels}): `labels` of the data source",
        )
    return known and against != "reference", against != "labels"
