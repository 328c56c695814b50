"""Calibrators; the union is the registry."""

from typing import Annotated

from pydantic import Field

from trtbuild.calib.auto import Auto
from trtbuild.calib.entropy import Entropy, Entropy2
from trtbuild.calib.legacy import Legacy
from trtbuild.calib.minmax import Minmax
from trtbuild.calib.mse import Mse
from trtbuild.calib.percentile import Percentile

__all__ = ["Calibrator"]

Calibrator = Annotated[
    Minmax | Entropy2 | Percentile | Mse | Auto | Entropy | Legacy, Field(discriminator="kind")
]
