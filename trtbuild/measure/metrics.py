"""Metrics: how close a candidate's outputs are to the reference's."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from trtbuild.measure.bits import write_bits
from trtbuild.measure.pairs import Chunk, SampleForm

if TYPE_CHECKING:
    import numpy as np

__all__ = [
    "LABELLED",
    "METRIC_ROWS",
    "Figures",
    "Metric",
    "MetricRow",
    "find_row",
    "find_unit",
]

Metric = Literal["cosine", "sqnr_db", "max_abs", "top1_agreement", "top1", "top5"]

_TOP5 = 5


@dataclass(frozen=True)
class Figures:
    """What a metric makes of all samples; the fields are those of `Measure`."""

    value: float | None
    remark: str = ""
    reference: float | None = None
    worst: float | None = None
    worst_sample: int | None = None
    identical: bool = False
    right: str = ""


@dataclass(frozen=True)
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
    unit: Literal["", "dB", "share"] = ""
    better: Literal["high", "low"] = "high"


def _cosine_parts(chunk: Chunk) -> np.ndarray:
    """Return r·c / (|r| |c|) of each sample; 1 where both are zero vectors, 0 where one is.

    Sums are NumPy's own pairwise ones: a BLAS dot product depends on the number of threads.
    """
    import numpy as np

    reference, candidate = chunk.rows
    signal, other = (reference**2).sum(axis=1), (candidate**2).sum(axis=1)
    cosine = (reference * candidate).sum(axis=1) / np.sqrt(signal) / np.sqrt(other)
    cosine = np.where((signal == 0) | (other == 0), (signal == other) * 1.0, cosine)
    # Both factors' roundings can lift it past 1.
    equal = (reference == candidate).all(axis=1)
    cosine = np.where(equal & np.isfinite(signal), 1.0, np.clip(cosine, -1, 1))
    return cosine.reshape(-1, 1)


def _mean_and_lowest(parts: np.ndarray, form: SampleForm) -> Figures:  # noqa: ARG001
    lowest = int(parts[:, 0].argmin())
    return Figures(_mean(parts[:, 0]), worst=float(parts[lowest, 0]), worst_sample=lowest)


def _power_parts(chunk: Chunk) -> np.ndarray:
    """Return of each sample Σr² (signal), Σ(r − c)² (noise), and whether the sides differ."""
    import numpy as np

    reference, candidate = chunk.rows
    noise = ((reference - candidate) ** 2).sum(axis=1)
    differs = (reference != candidate).any(axis=1)
    return np.stack([(reference**2).sum(axis=1), noise, differs], axis=1)


def _sqnr(parts: np.ndarray, form: SampleForm) -> Figures:  # noqa: ARG001
    """Return 10·log10(Σr² / Σ(r − c)²) dB over all samples: the reference is the signal.

    The signal-to-quantization-noise ratio of signal processing. Without noise it is infinite,
    which JSON cannot say: `identical` does. The worst sample is the one with the lowest ratio,
    among those with both signal and noise.
    """
    import numpy as np

    if not parts[:, 2].any():
        return Figures(None, "identical", identical=True)
    signal, noise = math.fsum(parts[:, 0]), math.fsum(parts[:, 1])
    if signal == 0:
        return Figures(None, "the reference is all zeros: there is no signal to compare with")
    if noise == 0:
        return Figures(None, "the differences are too small to square")
    value = 10 * (math.log10(signal) - math.log10(noise))
    both = (parts[:, :2] > 0).all(axis=1)
    if not both.any():
        return Figures(value)
    ratio = np.full(len(parts), np.inf)
    ratio[both] = 10 * (np.log10(parts[both, 0]) - np.log10(parts[both, 1]))
    lowest = int(ratio.argmin())
    return Figures(value, worst=float(ratio[lowest]), worst_sample=lowest)


def _difference_parts(chunk: Chunk) -> np.ndarray:
    """Return max |r − c| of each sample."""
    import numpy as np

    reference, candidate = chunk.rows
    differences: np.ndarray = np.abs(reference - candidate).max(axis=1, keepdims=True)
    return differences


def _highest(parts: np.ndarray, form: SampleForm) -> Figures:  # noqa: ARG001
    highest = int(parts[:, 0].argmax())
    value = float(parts[highest, 0])
    return Figures(value, worst=value, worst_sample=highest)


def _agreement_parts(chunk: Chunk) -> np.ndarray:
    """Return the share of a sample's places where both sides choose the same class.

    The choice is the argmax over the last axis, of equal scores the first; an integer output
    is such a choice already.
    """
    import numpy as np

    reference, candidate = chunk.rows
    if not chunk.form.integer:
        reference, candidate = (side.argmax(axis=-1) for side in chunk.scores)
    return np.where(chunk.unordered, np.nan, (reference == candidate).mean(axis=1))[:, None]


def _share_of_choices(parts: np.ndarray, form: SampleForm) -> Figures:
    import numpy as np

    places = form.size // (form.classes or 1)
    remarks = [f"at {places} places of each sample"] if places > 1 and form.uniform else []
    differing = np.flatnonzero(parts[:, 0] < 1)
    if differing.size:
        remarks.append(f"first differs in sample {differing[0]}")
    right = write_bits(parts[:, 0] == 1) if places == 1 else ""
    return Figures(_mean(parts[:, 0]), "; ".join(remarks), right=right)


def _hits(chunk: Chunk, k: int) -> np.ndarray:
    """Return for both sides whether a sample's label is among its k highest scores.

    Of equal scores the first is the higher, as argmax has it. An integer output is the chosen
    class already.
    """
    import numpy as np

    labels = chunk.labels
    if labels is None:
        raise ValueError("there are no labels")
    sides = []
    for scores in chunk.rows:
        if chunk.form.integer:
            sides.append(scores[:, 0] == labels)
            continue
        own = np.take_along_axis(scores, labels[:, None], axis=1)
        before = np.arange(scores.shape[1]) < labels[:, None]
        rank = (scores > own).sum(axis=1) + ((scores == own) & before).sum(axis=1)
        sides.append(rank < k)
    return np.where(chunk.unordered[:, None], np.nan, np.stack(sides, axis=1))


def _top1_parts(chunk: Chunk) -> np.ndarray:
    return _hits(chunk, 1)


def _top5_parts(chunk: Chunk) -> np.ndarray:
    return _hits(chunk, _TOP5)


def _share_of_hits(parts: np.ndarray, form: SampleForm) -> Figures:  # noqa: ARG001
    right = write_bits(parts[:, 1] == 1)
    return Figures(_mean(parts[:, 1]), reference=_mean(parts[:, 0]), right=right)


def _mean(values: np.ndarray) -> float:
    return math.fsum(values) / len(values)


def _no_values(form: SampleForm) -> str:
    return "" if form.size else "the output is empty"


def _no_signal(form: SampleForm) -> str:
    if form.integer:
        return "an integer output holds classes or counts, not a signal"
    return _no_values(form)


def _no_choice(form: SampleForm) -> str:
    if form.integer or not form.size:
        return _no_values(form)
    return "" if form.classes else "a single number is no choice between classes"


def _no_hits(form: SampleForm, k: int) -> str:
    if form.labels is None:
        return "the data has no labels"
    if form.integer:
        return "" if form.size == 1 and k == 1 else "an integer output holds no scores to rank"
    if not form.uniform:
        return "samples differ in shape, so that it holds no one score for each class"
    if len(form.shape) != 1 or not form.size:
        return f"a sample is {list(form.shape)}, not one score for each class"
    low, high = form.labels
    if low < 0 or high >= form.classes:
        return f"labels go from {low} to {high}, but there are {form.classes} scores"
    return "" if form.classes > k else f"with {form.classes} classes, top {k} is always right"


METRIC_ROWS: Mapping[Metric, MetricRow] = {
    "cosine": MetricRow(
        _cosine_parts,
        _mean_and_lowest,
        _no_signal,
        "the cosine of the angle between the outputs of a sample, as mean over the samples; "
        "1 is equal but for a factor",
    ),
    "sqnr_db": MetricRow(
        _power_parts,
        _sqnr,
        _no_signal,
        "signal to quantization noise, 10·log10(Σ reference² / Σ (reference - candidate)²) over "
        "all samples; 20 dB is noise of a tenth of the signal's amplitude",
        "dB",
    ),
    "max_abs": MetricRow(
        _difference_parts,
        _highest,
        _no_values,
        "the largest absolute difference of any value, in the output's own unit",
        better="low",
    ),
    "top1_agreement": MetricRow(
        _agreement_parts,
        _share_of_choices,
        _no_choice,
        "the share of samples for which both models choose the same class; right or wrong is "
        "not asked",
        "share",
    ),
    "top1": MetricRow(
        _top1_parts,
        _share_of_hits,
        lambda form: _no_hits(form, 1),
        "the share of labelled samples whose label has the highest score",
        "share",
    ),
    "top5": MetricRow(
        _top5_parts,
        _share_of_hits,
        lambda form: _no_hits(form, _TOP5),
        "the share of labelled samples whose label is among the five highest scores",
        "share",
    ),
}


def find_row(metric: str) -> MetricRow | None:
    """Return what is known of a metric by any name; None where there is no such metric."""
    rows: Mapping[str, MetricRow] = METRIC_ROWS  # type: ignore[assignment]  # of any name
    return rows.get(metric)


def find_unit(metric: str) -> Literal["", "dB", "share"]:
    """Return the unit of a metric by any name; none where there is no such metric."""
    row = find_row(metric)
    return "" if row is None else row.unit


LABELLED: frozenset[Metric] = frozenset({"top1", "top5"})
"""The metrics that need labels; they have a value for the reference too, and so a drop."""
