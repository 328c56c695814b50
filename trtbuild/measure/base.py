"""What every kind of metric does: figures that it yields, and a measurement of paired samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Protocol, runtime_checkable

from pydantic import Field

from trtbuild.core.frozen import frozen
from trtbuild.core.options import Options
from trtbuild.core.values import TensorSpec
from trtbuild.core.words import Unit

if TYPE_CHECKING:
    import numpy as np

__all__ = [
    "NO_CLASSES",
    "NO_LABELS",
    "RESAMPLES",
    "CannotMeasure",
    "CountingMeasurement",
    "DrawingMeasurement",
    "Figure",
    "Measurement",
    "MetricKind",
    "PairedSample",
    "Subject",
    "Value",
]

NO_LABELS = "the data has no labels"
NO_CLASSES = "the data has no classes as labels"
"""It may have labels of another sort."""
RESAMPLES = 1000
"""Fewer make the ends of percentile intervals unsteady (Efron & Tibshirani 1993, chapter 13)."""


class CannotMeasure(Exception):  # what happened, not what went wrong
    """A sample, or all of them, that a metric can say nothing of; the text says why.

    Its figures have no value then, which fails every gate on them. Who raises it need not name the
    sample: that is added.
    """


@frozen
class Figure:
    """A figure that a metric yields; recipes, gates and reports know it by its name."""

    name: str
    """`map50`; where the metric has a `name`, `NAME.map50` to everybody but itself."""
    meaning: str
    """One sentence for the reader of a report."""
    unit: Unit = ""
    better: Literal["high", "low"] = "high"
    own: bool = False
    """Each side has a value of its own, by labels: then there is a drop from the reference's."""
    interval: bool = True
    """Whether resampled samples tell how sure it is; they do not of a largest value."""


@frozen
class Value:
    """What a figure comes to over some samples."""

    value: float | None
    """Of the candidate (or of the pair); None where there is none, and `remark` says why."""
    reference: float | None = None
    """The reference's own, of a figure that is `own`."""
    remark: str = ""
    """Why there is no value; of one that there is, why it may not mean what it seems to."""
    identical: bool = False
    """Both sides are equal, and the value would be infinite: that passes any lower bound."""
    applies: bool = True
    """False of a figure that such data has none of: by labels, where there are none."""


@frozen
class Subject:
    """What is measured: what both sides are, before any sample is read."""

    outputs: Mapping[str, TensorSpec]
    """By name, named parts of outputs included: the reference's dtype, and the shape of a sample,
    without the batch; an axis on which samples differ is written as a span: `0..300`."""
    inputs: Mapping[str, TensorSpec]
    """The arrays that a sample of the data holds, likewise: `[3, 640, 640]`."""
    samples: int
    names: tuple[str, ...] = ()
    """The file that each sample came from (`val/cat.jpg`), where each has one of its own."""
    classes: tuple[int, ...] | None = None
    """The class of each sample, where the data has labels."""
    truth: TensorSpec | None = None
    """What a label is where labels are arrays; spans as in `outputs`."""
    files: Mapping[str, Path] = field(default_factory=dict)
    """What `find_files` has found, by the names that it gave."""
    parts: frozenset[str] = frozenset()
    """Which of the outputs are parts of another, named by the recipe."""


@frozen
class PairedSample:
    """What both sides made of one sample; no array has a batch axis."""

    index: int
    reference: Mapping[str, np.ndarray]
    """Each output that the measurement reads; read-only, and NaN-free."""
    candidate: Mapping[str, np.ndarray]
    label: int | None = None
    """The sample's class."""
    name: str = ""
    """The file that it came from, where it has one of its own."""
    truth: np.ndarray | None = None
    """The sample's label where labels are arrays: boxes, a mask, a picture, a sequence."""


class Measurement(Protocol):
    """A metric at work. It keeps little of each sample: memory grows with their number alone."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """The outputs (or parts of them) that it reads."""

    def add(self, sample: PairedSample) -> None:
        """Keep what is needed of a sample; they come in order, each once.

        Raises:
            CannotMeasure: nothing can be said of it.
        """

    def fold(self, samples: np.ndarray) -> Mapping[str, Value]:
        """Return every figure over some samples, by its name; called when all are added.

        `samples` are numbers of samples, int64 [n]. In a resample some come several times and
        others not at all: the same for both sides.

        Raises:
            CannotMeasure: nothing can be said of these.
        """


@runtime_checkable
class DrawingMeasurement(Protocol):
    """A measurement that folds many resamples at once, which a loop over `fold` does slowly."""

    def fold_draws(self, draws: np.ndarray) -> Mapping[str, tuple[np.ndarray, np.ndarray | None]]:
        """Return the values (candidate's, reference's) of each draw: float64 [draws], or NaN.

        `draws` are numbers of samples, int64 [draws, n]; what it returns is what `fold` would.
        """


@runtime_checkable
class CountingMeasurement(Protocol):
    """A measurement with figures that are shares of the samples: each is right or wrong.

    Their intervals are those of shares, which do not shrink to nothing where all are right.
    """

    def hits(self) -> Mapping[str, np.ndarray]:
        """Return which samples are right, by figure: truth values [samples, 2].

        The reference's come first, then the candidate's; of a figure that is not `own` there is one
        column.
        """


class MetricKind(Options):
    """A metric with options, as it stands in a recipe. A subclass is a kind.

    It adds `kind: Literal[...]`, its options and methods, and goes into the union in `kinds.py`.
    """

    is_code: ClassVar[bool] = False
    """Whether its files are code of the user's: that belongs to the recipe, and must be there."""

    ranks: ClassVar[bool] = False
    """Whether it asks only which score is the highest: an infinite one is an answer then, too."""

    kind: str
    name: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$", max_length=40)] | None = None
    """What its figures are called beside those of another metric of the kind: `NAME.f1` instead of
    `f1`. None by default."""

    @property
    def needs_labels(self) -> bool:
        """Whether it says nothing without labels of the data."""
        return False

    def figures(self) -> tuple[Figure, ...]:
        """Return the figures that it yields with these options, most telling first."""
        raise NotImplementedError

    def count_resamples(self) -> int:
        """Return how many resamples its intervals are made of; 0 for no intervals."""
        return RESAMPLES

    def find_files(self, base: Path) -> Mapping[str, Path]:  # noqa: ARG002  # most read none
        """Return the files that it reads (labels), each by a name that is the same anywhere.

        `base` is the recipe's folder. Names count as ingredients, as contents do: where files are
        matched with samples by name, let them be paths below the folder that the recipe names.

        Raises:
            MissingFile: one is not there.
        """
        return {}

    def fact_names(self) -> tuple[str, ...]:
        """Name the installed packages whose version may change a figure."""
        return ("numpy",)

    def begin(self, subject: Subject) -> Measurement:
        """Return a new measurement.

        Raises:
            StepInputError: the options do not fit what is measured; says what would.
            MissingDependency: a library that it needs is not installed.
        """
        raise NotImplementedError
