"""Ranges that somebody found before: a file instead of a calibration."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from trtbuild.calib.doubt import ScaleMeaning
from trtbuild.core.options import Location, Options

__all__ = ["Cache"]


class Cache(Options):
    """Take the ranges from a file, such as TensorRT's calibration cache; no data is needed.

    It is known by what it holds: a calibration cache of any TensorRT (`TRT-101401-...` in line 1),
    `name: limit` lines as NVIDIA's sampleINT8API reads them, ONNX Runtime's calibration table
    (`calibration.flatbuffers`, `.json` or `.cache`), or a `ranges.json`. Names that the model lacks
    are reported; tensors that the file lacks must get a range by hand, or stay floating point with
    `allow_missing: true`.
    """

    kind: Literal["cache"]
    path: Location
    """The file, relative to the recipe."""
    values: ScaleMeaning = "auto"
    """What a calibration cache's numbers are: `scale` (limit / 127, as TensorRT writes them),
    `inverse` (127 / limit) or `limit`, as some tools do; or `auto`: scales, and an error where
    their size says otherwise."""

    def find_files(self, base: Path) -> tuple[Path, ...]:
        """Return the file whose digest stands for the ranges."""
        return (base / self.path,)
