"""Which tensors become INT8, and the Q/DQ pairs that make them so."""

from typing import TYPE_CHECKING

from trtbuild.core.kinds import OneOf

if TYPE_CHECKING:
    import trtbuild.quant.equalizing.kinds
    import trtbuild.quant.writing.weights
    from trtbuild.quant import equalizing, writing

__all__ = ["AnyEqualization", "AnyWeightScaling"]

AnyEqualization = OneOf[
    "equalizing.kinds.CrossLayer | equalizing.kinds.Smooth | equalizing.kinds.Awq", __name__
]
AnyWeightScaling = OneOf["writing.weights.WeightsAbsmax | writing.weights.WeightsMse", __name__]
