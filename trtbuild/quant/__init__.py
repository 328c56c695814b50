"""Which tensors become INT8, and the Q/DQ pairs that make them so."""

from typing import Annotated

from trtbuild.core.kinds import BY_KIND
from trtbuild.quant.equalizing.kinds import CrossLayer, Smooth
from trtbuild.quant.writing.weights import WeightsAbsmax, WeightsMse

__all__ = ["AnyEqualization", "AnyWeightScaling"]

AnyEqualization = Annotated[CrossLayer | Smooth, BY_KIND]
AnyWeightScaling = Annotated[WeightsAbsmax | WeightsMse, BY_KIND]
