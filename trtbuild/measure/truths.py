"""What a metric is held against: the reference's outputs, labels, or both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from trtbuild.core.errors import StepInputError
from trtbuild.core.values import TensorSpec
from trtbuild.measure.base import NO_LABELS, Figure, Subject

__all__ = ["Against", "Sides", "choose_figures", "choose_sides", "list_axes"]

Against = Literal["labels", "reference"]


class Sides(NamedTuple):
    """What counts."""

    labels: bool
    reference: bool
    why: str
    """Why labels do not, where they do not."""


def choose_figures(
    against: Against | None,
    *,
    by_labels: tuple[Figure, ...],
    by_reference: tuple[Figure, ...],
) -> tuple[Figure, ...]:
    """Return the figures that a metric can yield: those of both sides, or of the one asked for."""
    return (by_labels if against != "reference" else ()) + (
        by_reference if against != "labels" else ()
    )


def choose_sides(
    against: Against | None,
    subject: Subject,
    *,
    kind: str,
    labels: str,
    fits: Callable[[TensorSpec], bool],
    numbers: bool = False,
) -> Sides:
    """Return whether labels count, and whether the reference does.

    Without `against` both do, labels where there are some that fit. `labels` says what they must
    be; with `numbers` one whole number is such a label as well.

    Raises:
        StepInputError: labels are asked for, and there are none that fit.
    """
    classes = subject.classes is not None
    known = fits(subject.truth) if subject.truth is not None else numbers and classes
    why = NO_LABELS
    if subject.truth is not None:
        spec = subject.truth
        why = f"the data's labels are {spec.dtype} [{', '.join(map(str, spec.shape))}]"
    elif classes:
        why = "the data's labels are classes"
    if against == "labels" and not known:
        raise StepInputError(
            f"`kind: {kind}` is to be held against labels: {why}",
            hint=f"say where they are ({labels}): `labels` of the data source",
        )
    return Sides(known and against != "reference", against != "labels", why)


def list_axes(spec: TensorSpec) -> list[int | str]:
    """Return the sizes of a sample's axes, without those of size 1."""
    return [size for size in spec.shape if size != 1]
