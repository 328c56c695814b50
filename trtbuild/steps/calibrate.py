"""Find the range of every tensor that quantization needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from trtbuild.calib import Calibrator
from trtbuild.steps.base import Context, Ref, Step
from trtbuild.steps.capture_data import DataInput

__all__ = ["Calibrate"]


class Calibrate(Step):
    """Run the model over the calibration data and reduce each tensor to a range."""

    version: ClassVar[int] = 1
    outputs: ClassVar[Mapping[str, str]] = {"ranges": "ranges.json"}

    kind: Literal["calibrate"] = "calibrate"
    model: Ref
    data: DataInput
    calibrator: Calibrator

    def run(self, context: Context) -> None:
        """Write ranges.json (core.values.Ranges as JSON)."""
        raise NotImplementedError
