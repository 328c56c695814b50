"""Calibrators; the union is the registry."""

from typing import Annotated

from pydantic import Field

from trtbuild.calib.entropy import Entropy2
from trtbuild.calib.minmax import Minmax
from trtbuild.calib.percentile import Percentile

__all__ = ["Calibrator"]

Calibrator = Annotated[Minmax | Entropy2 | Percentile, Field(discriminator="kind")]
