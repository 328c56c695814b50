"""From histograms to ranges, and what a reader must know of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from trtbuild.calib.auto import Auto
from trtbuild.calib.base import HostCalibrator
from trtbuild.calib.histogram import Histogram
from trtbuild.calib.limit_search import LimitChoice
from trtbuild.core.options import Options
from trtbuild.core.values import Range, Ranges

__all__ = ["ranges_from_histograms", "remark_on_histograms"]


def ranges_from_histograms(
    histograms: Mapping[str, Histogram],
    calibrators: Mapping[str, HostCalibrator],
    *,
    samples: int,
    workers: int = 1,
    judged: Mapping[str, LimitChoice] | None = None,
) -> Ranges:
    """Return a range for each tensor that was reached: what was seen, clipped to ±limit.

    Sorted by name; `workers` tensors are searched at a time. `judged` are the limits that were
    searched where `auto` chooses; of other tensors the histograms decide.
    """
    chosen = judged or {}
    reached = sorted(name for name, histogram in histograms.items() if histogram.total)
    with ThreadPoolExecutor(workers) as pool:
        found = pool.map(
            lambda name: _make_range(histograms[name], calibrators[name], chosen.get(name)), reached
        )
        return Ranges(tensors=dict(zip(reached, found, strict=True)), samples=samples)


def remark_on_histograms(histograms: Mapping[str, Histogram]) -> Iterator[str]:
    """Say of which tensors the data tells nothing, or next to nothing."""
    for name, histogram in sorted(histograms.items()):
        if not histogram.total:
            yield f"{name}: never reached by the calibration data; it has no range"
        elif histogram.absmax == 0:
            yield f"{name}: all zero over the calibration data"
        elif histogram.low == histogram.high:
            yield f"{name}: constant over the calibration data ({histogram.low:g})"


def _options(calibrator: HostCalibrator) -> dict[str, float | int | str | bool]:
    assert isinstance(calibrator, Options)  # noqa: S101  # a recipe's section is what calibrates
    return calibrator.model_dump(exclude={"kind"})


def _make_range(
    histogram: Histogram, calibrator: HostCalibrator, judged: LimitChoice | None
) -> Range:
    import numpy as np

    if isinstance(calibrator, Auto):
        won, found = judged or calibrator.pick(histogram)
        kind = f"{calibrator.kind}: {won}"
    else:
        kind, found = calibrator.kind, calibrator.limit(histogram)
    # Ranges are FP32 in every backend: what the table says is what the engine uses.
    limit = float(np.float32(min(found, histogram.absmax)))
    return Range(
        low=max(histogram.low, -limit),
        high=min(histogram.high, limit),
        origin="calibrated",
        calibrator=kind,
        calibrator_options=_options(calibrator),
        observed=(histogram.low, histogram.high),
        clipped=histogram.share_above(limit),
    )
