"""What a figure that moved says: better, worse, or within noise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from trtbuild.measure.metrics import MetricRow, find_row

__all__ = ["FigureVerdict", "Pairs", "judge_apart", "judge_movement", "judge_pairs"]

FigureVerdict = Literal["better", "worse", "noise", "same", "unknown"]

SURE = 0.05
"""A sign test below this says that as many lost samples are no accident."""
DEVIATIONS = 1.96
"""How many standard deviations hold 95 % of what samples alone may do."""
NOISE = 0.02
"""By what share an error has to change at least: rounding on another processor moves less."""
LEAST_ERROR = 1e-9


@dataclass(frozen=True)
class Pairs:
    """What became of the same samples."""

    lost: tuple[int, ...]
    """The numbers of those that were right and are wrong."""
    gained: tuple[int, ...]

    @property
    def verdict(self) -> FigureVerdict:
        """Judge by the sign test: as likely lost as gained, were both sides equally good."""
        lost, gained = len(self.lost), len(self.gained)
        if not lost and not gained:
            return "same"
        if _sign_test(lost, gained) >= SURE:
            return "noise"
        return "worse" if lost > gained else "better"


def judge_pairs(before: Sequence[bool], after: Sequence[bool]) -> Pairs:
    """Compare which samples are right on two sides, sample by sample."""
    both = list(enumerate(zip(before, after, strict=True)))
    return Pairs(
        lost=tuple(index for index, (then, now) in both if then and not now),
        gained=tuple(index for index, (then, now) in both if now and not then),
    )


def _sign_test(lost: int, gained: int) -> float:
    """Return how likely a split at least as uneven is, of a fair coin (two-sided, exact)."""
    total = lost + gained
    scale = math.lgamma(total + 1) - total * math.log(2)
    tail = math.fsum(
        math.exp(scale - math.lgamma(k + 1) - math.lgamma(total - k + 1))
        for k in range(max(lost, gained), total + 1)
    )
    return min(1.0, 2 * tail)


def judge_apart(before: float, after: float, samples: tuple[int, int]) -> FigureVerdict:
    """Judge a share that was measured on other samples than before, by the binomial interval."""
    spread = math.fsum(p * (1 - p) / n for p, n in zip((before, after), samples, strict=True))
    if before == after:
        return "same"
    if abs(after - before) <= DEVIATIONS * math.sqrt(max(0.0, spread)):
        return "noise"
    return "better" if after > before else "worse"


def judge_movement(
    metric: str, before: float, after: float, samples: int, *, known: str = ""
) -> FigureVerdict:
    """Judge a figure by itself: a share by its resolution, another by its error.

    A share of `samples` says nothing below one of them. Any other figure has an error (1 - cosine,
    the power of the noise, the largest difference) that must change by more than `NOISE` of it; of
    one that is above 1, or below 0, no error is known, and it must change so itself.
    `known` is what a lock says of a figure that is no metric by name: unit and better end.
    """
    row = find_row(metric) or _read_known(known)
    if before == after:
        return "same"
    if row is None:
        return "unknown"
    improved = (after > before) == (row.better == "high")
    if row.unit == "share":
        small = samples > 0 and abs(after - before) * samples <= 1 + LEAST_ERROR
    elif _has_error(row, before) and _has_error(row, after):
        then, now = _error(row, before), _error(row, after)
        small = abs(math.log(now / then)) <= math.log1p(NOISE)
    else:
        small = abs(after - before) <= NOISE * max(abs(before), abs(after))
    return "noise" if small else "better" if improved else "worse"


@dataclass(frozen=True)
class _Known:
    """What a figure is judged by."""

    unit: str
    better: str


def _read_known(text: str) -> _Known | None:
    unit, _, better = text.rpartition(" ")
    return _Known(unit, better) if better in ("high", "low") else None


def _has_error(row: MetricRow | _Known, value: float) -> bool:
    """Tell whether a figure says how far it is from the best: 1, or 0 where low is better."""
    return row.unit == "dB" or (value <= 1 if row.better == "high" else value >= 0)


def _error(row: MetricRow | _Known, value: float) -> float:
    if row.unit == "dB":
        error = 10 ** (-max(-3000.0, min(3000.0, value)) / 10)
        return max(error, 1e-300)
    return max(LEAST_ERROR, 1 - value if row.better == "high" else value)
