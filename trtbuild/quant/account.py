"""What quantization did to a model, layer by layer, and what it left alone and why."""

from trtbuild.core.options import Options
from trtbuild.core.quantized_types import TYPES
from trtbuild.core.ranges_used import RangesUsed
from trtbuild.core.records import RequestedLayer

__all__ = [
    "KeptAccount",
    "QuantizationAccount",
    "TensorAccount",
    "WeightAccount",
]


class KeptAccount(Options):
    """One node that stays in float32 where the rest is 16-bit."""

    name: str
    op: str
    reason: str


class TensorAccount(Options):
    """One activation that got a Q/DQ pair."""

    name: str
    limit: float
    scale: float
    """As written in the model: float32(limit / 127); of FP8 limit / 448."""
    readers: tuple[str, ...]
    """Names of the nodes that read the pair."""
    shared_with: tuple[str, ...] = ()
    """Tensors whose scale is this one's too."""


class WeightAccount(Options):
    """One weight that is stored in a quantized type."""

    name: str
    axis: int | None
    """The output channels: one scale for each index along it; None for one scale in all."""
    channels: int
    """How many scales it has."""
    block: int | None = None
    """How many inputs of a channel share a scale, along `axis` then; None for all of them."""
    dead: tuple[int, ...] = ()
    """Channels of zeros (or of values too small for a scale); they are written as exact zeros."""
    tiny: tuple[int, ...] = ()
    """Channels under a millionth of the weight's largest value."""


class QuantizationAccount(Options):
    """`quantization.json`: what was asked of every weighted layer, and what was inserted."""

    opset: int
    layers: tuple[RequestedLayer, ...]
    """Every Conv, ConvTranspose, Gemm and MatMul, in graph order, those in subgraphs last."""
    tensors: tuple[TensorAccount, ...]
    weights: tuple[WeightAccount, ...]
    kept: tuple[KeptAccount, ...] = ()
    """Where the high precision is 16-bit: the nodes that stay in float32, in graph order."""
    remarks: tuple[str, ...] = ()
    ranges: RangesUsed | None = None
    """The table of ranges that it was quantized with; None where there is none."""

    @property
    def asked(self) -> int:
        """How many weighted layers are asked for in a quantized type."""
        return sum(layer.precision in TYPES for layer in self.layers)
