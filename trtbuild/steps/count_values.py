"""Run a share of the calibration data, and keep what was counted: for one of several machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

from trtbuild.core.errors import CorruptObject
from trtbuild.core.needs import INFERENCE_BATCH, INFERENCE_DEVICE, Needs
from trtbuild.steps.base import Context, Step
from trtbuild.steps.calibrate import Calibrate

if TYPE_CHECKING:
    from trtbuild.calib.histogram import Histogram

__all__ = ["CountValues", "CountedShare", "read_shares"]


class CountedShare(NamedTuple):
    """What one machine counted."""

    samples: int
    histograms: dict[str, Histogram]


class CountValues(Step):
    """Run every n-th feed of a calibration, and write its histograms.

    Histograms add up exactly, however feeds are shared out (`calib.histogram`): `Calibrate` makes
    the same of all shares as of all feeds.
    """

    outputs: ClassVar[Mapping[str, str]] = {"counts": "counts.npz"}

    kind: Literal["count_values"] = "count_values"
    of: Calibrate
    share: int
    """Which of the shares this is, from 0."""
    shares: int

    def fact_names(self) -> tuple[str, ...]:
        """Rest on what the calibration does."""
        return ("numpy", "onnxruntime", INFERENCE_DEVICE, INFERENCE_BATCH)

    def needs(self) -> Needs:
        """Run the model."""
        return self.of.needs()

    def run(self, context: Context) -> None:
        """Write what was counted.

        Raises:
            StepInputError: as `Calibrate`.
        """
        samples, histograms = self.of.count(context, share=self.share, shares=self.shares)
        _write(self.out(context, "counts"), CountedShare(samples, histograms))


def _write(path: Path, share: CountedShare) -> None:
    import numpy as np

    arrays: dict[str, Any] = {"samples": np.int64(share.samples)}
    arrays["names"] = np.array([*share.histograms], np.str_)
    for number, one in enumerate(share.histograms.values()):
        arrays[f"range{number}"] = np.array([one.low, one.high])
        arrays[f"sizes{number}"] = np.array([one.total, one.exponent], np.int64)
        arrays[f"counts{number}"] = one.counts
    with path.open("wb") as file:
        np.savez(file, **arrays)


def read_shares(paths: Sequence[Path]) -> CountedShare:
    """Read what machines counted, added up.

    Raises:
        CorruptObject: it is no such file, or of other tensors than the first.
    """
    import numpy as np

    samples, found = 0, dict[str, "Histogram"]()
    for path in paths:
        try:
            with np.load(path, allow_pickle=False) as arrays:
                share = _read(arrays)
        except (OSError, ValueError, KeyError) as error:
            raise CorruptObject(f"{path}: is no share of a calibration: {error}") from None
        if found and [*found] != [*share.histograms]:
            raise CorruptObject(f"{path}: is a share of another calibration")
        samples += share.samples
        for name, one in share.histograms.items():
            if name in found:
                found[name].merge(one)
            else:
                found[name] = one
    return CountedShare(samples, found)


def _read(arrays: Any) -> CountedShare:
    from trtbuild.calib.histogram import Histogram

    found = {}
    for number, name in enumerate(arrays["names"].tolist()):
        one = Histogram(counted=arrays[f"counts{number}"].size > 0)
        one.low, one.high = map(float, arrays[f"range{number}"])
        one.total, one.exponent = map(int, arrays[f"sizes{number}"])
        one.counts = arrays[f"counts{number}"]
        found[name] = one
    return CountedShare(int(arrays["samples"]), found)
