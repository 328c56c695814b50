"""Calibrators, and what may stand in their place; the unions are the registry."""

from typing import Annotated

from trtbuild.calib.auto import Auto
from trtbuild.calib.cache import Cache
from trtbuild.calib.entropy import Entropy, Entropy2
from trtbuild.calib.legacy import Legacy
from trtbuild.calib.minmax import Minmax
from trtbuild.calib.mse import Mse
from trtbuild.calib.percentile import Percentile
from trtbuild.core.kinds import BY_KIND

__all__ = ["Calibrator", "RangeSource"]

_Measuring = Minmax | Entropy2 | Percentile | Mse | Auto | Entropy | Legacy

Calibrator = Annotated[_Measuring, BY_KIND]
"""What finds a tensor's range in its values on the calibration data."""

RangeSource = Annotated[_Measuring | Cache, BY_KIND]
"""A calibrator, or what knows the ranges without data."""
