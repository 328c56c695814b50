"""A weight quantized block by block: one scale for so many inputs of each output channel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trtbuild.core.quantized_types import QuantizedType
from trtbuild.quant.half_types import HalfType
from trtbuild.quant.writing.weights import QuantizedWeight, WeightScaling, quantize_weight

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["quantize_blocks"]


def quantize_blocks(
    weight: npt.NDArray[np.float32],
    axis: int,
    block: int,
    scaling: WeightScaling | None = None,
    *,
    half: HalfType | None = None,
    into: QuantizedType,
) -> QuantizedWeight:
    """Quantize a weight by blocks along the axis of its inputs (see `quantize_weight`).

    Scales have the weight's rank, and along `axis` one index for each block, as ONNX's
    DequantizeLinear has them with `block_size`. Blocks of zeros have the scale 1; none is told of
    as dead or tiny, for there are many, and a channel is no block.

    Raises:
        ValueError: the weight holds a NaN or an infinity.
    """
    import numpy as np

    parted = (*weight.shape[:axis], weight.shape[axis] // block, block, *weight.shape[axis + 1 :])
    # Blocks in front, what is in one behind: each is a channel to the function that has channels.
    turned = np.moveaxis(weight.reshape(parted), axis + 1, -1)
    rows = np.ascontiguousarray(turned).reshape(-1, block)
    found = quantize_weight(rows, 0, scaling, half=half, into=into)
    values = np.moveaxis(found.values.reshape(turned.shape), -1, axis + 1).reshape(weight.shape)
    return QuantizedWeight(values, found.scales.reshape(turned.shape[:-1]), (), ())
