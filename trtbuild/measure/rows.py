"""MetricRow: a metric of one output, made of numbers of each sample."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from trtbuild.core.frozen import frozen
from trtbuild.core.words import Unit
from trtbuild.measure.pairs import Chunk, SampleForm

if TYPE_CHECKING:
    import numpy as np

    Drawn = tuple[np.ndarray, np.ndarray | None]

__all__ = ["Figures", "MetricRow", "compute_mean", "draw_first_means", "explain_empty"]


@frozen
class Figures:
    """What a metric makes of all samples; the fields are those of `Measure`."""

    value: float | None
    remark: str = ""
    reference: float | None = None
    worst: float | None = None
    worst_sample: int | None = None
    identical: bool = False
    right: str = ""
    doubt: str = ""
    broken: bool = False


@frozen
class MetricRow:
    """A metric: numbers of each sample, gathered as the samples pass, then folded into one."""

    parts: Callable[[Chunk], np.ndarray]
    """Chunk of n samples → float64 [n, k]; not finite where a sample has no such number."""
    fold: Callable[[np.ndarray, SampleForm], Figures]
    """Finite float64 [samples, k] → the figures."""
    against: Callable[[SampleForm], str]
    """Why the metric says nothing about such an output; empty where it does."""
    meaning: str
    """One sentence for the reader of a report."""
    unit: Unit = ""
    better: Literal["high", "low"] = "high"
    own: bool = False
    """Each side has a value of its own, by labels: then there is a drop from the reference's."""
    pooled: bool = False
    """Values of all parts of an output go into one sum: a part of a larger scale decides it."""
    interval: bool = True
    """Whether resamples tell how sure it is; they do not of a largest value."""
    drawn: Callable[[np.ndarray, np.ndarray], Drawn] | None = None
    """What `fold` comes to for many resamples at once: parts and draws [resamples, samples] → the
    values, and the references' where there are such. Without it, each is folded by itself."""
    hits: tuple[int, ...] = ()
    """Of shares of samples: the columns of parts (candidate's, reference's) that say right (1) or
    wrong (0)."""


def draw_first_means(parts: np.ndarray, draws: np.ndarray) -> Drawn:
    """Return the mean of the first number of each sample."""
    return parts[:, 0][draws].mean(axis=1), None


def explain_empty(form: SampleForm) -> str:
    """Say that an output without values has nothing to measure; nothing of any other."""
    return "" if form.size else "the output is empty"


def compute_mean(values: np.ndarray) -> float:
    """Return a mean that does not depend on the order of the values."""
    return math.fsum(values) / len(values)
