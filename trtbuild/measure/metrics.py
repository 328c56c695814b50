"""Metrics: how close a candidate's outputs are to the reference's."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Literal

from trtbuild.core.words import Unit
from trtbuild.measure.choices import AGREEMENT, FEW, TOP1, TOP5
from trtbuild.measure.pairs import Chunk, SampleForm
from trtbuild.measure.rows import Figures, MetricRow, compute_mean, draw_first_means, explain_empty

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

DECISIVE_DB = 6.0
"""Half the amplitude: what one of many samples alone makes of a figure is said."""
NOISY_DB = 3.0
"""Noise of half the signal's power."""

Metric = Literal["cosine", "sqnr_db", "max_abs", "top1_agreement", "top1", "top5"]


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
    return Figures(compute_mean(parts[:, 0]), worst=float(parts[lowest, 0]), worst_sample=lowest)


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
    try:
        signal, noise = math.fsum(parts[:, 0]), math.fsum(parts[:, 1])
    except OverflowError:
        return Figures(None, "values are too large to square")
    if signal == 0:
        return Figures(None, "the reference is all zeros: there is no signal to compare with")
    if noise == 0:
        return Figures(None, "the differences are too small to square")
    value = 10 * (math.log10(signal) - math.log10(noise))
    both = (parts[:, :2] > 0).all(axis=1)
    doubt = "; ".join(_doubt_sqnr(value, parts[:, :2]))
    if not both.any():
        return Figures(value, doubt=doubt)
    ratio = np.full(len(parts), np.inf)
    ratio[both] = 10 * (np.log10(parts[both, 0]) - np.log10(parts[both, 1]))
    lowest = int(ratio.argmin())
    return Figures(value, worst=float(ratio[lowest]), worst_sample=lowest, doubt=doubt)


def _doubt_sqnr(value: float, powers: np.ndarray) -> Iterator[str]:
    """Say that little of the signal is left, and where one sample makes the figure what it is.

    `powers` is Σr² and Σ(r - c)² of each sample.
    """
    import numpy as np

    if len(powers) >= FEW:
        for index in {int(each): None for each in powers.argmax(axis=0)}:
            signal, noise = (math.fsum(each) for each in np.delete(powers, index, axis=0).T)
            if signal > 0 and noise > 0:
                without = 10 * (math.log10(signal) - math.log10(noise))
                if abs(without - value) >= DECISIVE_DB:
                    yield f"sample {index} decides it: without that one it is {without:.2f} dB"
                    return
    if value < NOISY_DB:
        yield "what differs is as large as what is there: little of this output is left"


def _draw_sqnr(parts: np.ndarray, draws: np.ndarray) -> tuple[np.ndarray, None]:
    import numpy as np

    signal, noise = (parts[:, column][draws].sum(axis=1) for column in (0, 1))
    # No signal: -inf dB; no noise: inf.
    return 10 * (np.log10(signal) - np.log10(noise)), None


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


def _no_signal(form: SampleForm) -> str:
    if form.integer:
        return "an integer output holds classes or counts, not a signal"
    return explain_empty(form)


METRIC_ROWS: Mapping[Metric, MetricRow] = {
    "cosine": MetricRow(
        _cosine_parts,
        _mean_and_lowest,
        _no_signal,
        "the cosine of the angle between the outputs of a sample, as mean over the samples; "
        "1 is equal but for a factor",
        pooled=True,
        drawn=draw_first_means,
    ),
    "sqnr_db": MetricRow(
        _power_parts,
        _sqnr,
        _no_signal,
        "signal to quantization noise, 10·log10(Σ reference² / Σ (reference - candidate)²) over "
        "all samples; 20 dB is noise of a tenth of the signal's amplitude",
        "dB",
        pooled=True,
        drawn=_draw_sqnr,
    ),
    "max_abs": MetricRow(
        _difference_parts,
        _highest,
        explain_empty,
        "the largest absolute difference of any value, in the output's own unit",
        better="low",
        pooled=True,
        interval=False,
    ),
    "top1_agreement": AGREEMENT,
    "top1": TOP1,
    "top5": TOP5,
}


def find_row(metric: str) -> MetricRow | None:
    """Return what is known of a metric by any name; None where there is no such metric."""
    rows: Mapping[str, MetricRow] = METRIC_ROWS  # type: ignore[assignment]  # of any name
    return rows.get(metric)


def find_unit(metric: str) -> Unit:
    """Return the unit of a metric by any name; none where there is no such metric."""
    row = find_row(metric)
    return "" if row is None else row.unit


LABELLED: frozenset[Metric] = frozenset({"top1", "top5"})
"""The metrics that need labels; they have a value for the reference too, and so a drop."""
