"""Which tensors become INT8, and the Q/DQ pairs that make them so."""

from typing import Annotated

from pydantic import Field

from trtbuild.quant.equalizing.kinds import CrossLayer, Smooth
from trtbuild.quant.writing.weights import WeightsAbsmax, WeightsMse

__all__ = ["AnyEqualization", "AnyWeightScaling"]

AnyEqualization = Annotated[CrossLayer | Smooth, Field(discriminator="kind")]
AnyWeightScaling = Annotated[WeightsAbsmax | WeightsMse, Field(discriminator="kind")]
