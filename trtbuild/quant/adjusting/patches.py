"""What each output value of a weighted layer is a sum over: rows of its input, at some places.

A layer is `y[row, group, out] = Σ weight[group, out, k] · x[row, group, k]` here, plus a bias.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trtbuild.model.view import GraphView, read_ints

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import onnx

    Array = npt.NDArray[Any]

__all__ = ["LayerForm", "read_form"]


@dataclass(frozen=True)
class LayerForm:
    """How a Conv, Gemm or MatMul is laid out."""

    op: str
    slot: int
    """The operand that is the weight."""
    turned_input: bool = False
    """Whether the input's rows are its columns: Gemm's transA, or a weight on the left."""
    turned_weight: bool = False
    """Whether the weight is [out, k] where [k, out] is usual."""
    group: int = 1
    kernel: tuple[int, ...] = ()
    strides: tuple[int, ...] = ()
    dilations: tuple[int, ...] = ()
    pads: tuple[int, ...] = ()
    factor: float = 1.0
    """Gemm's alpha."""

    def split_weight(self, weight: Array) -> Array:
        """Return a weight as [group, out, k]."""
        if self.op == "Conv":
            return weight.reshape(self.group, weight.shape[0] // self.group, -1)
        turned: Array = weight if self.turned_weight else weight.T
        return turned[None]

    def join_weight(self, parts: Array, shape: Sequence[int]) -> Array:
        """Return [group, out, k] in a weight's own shape."""
        if self.op == "Conv":
            return parts.reshape(tuple(shape))
        turned: Array = parts[0] if self.turned_weight else parts[0].T
        return turned

    def count_rows(self, outputs: Array) -> int:
        """Count the places of what the layer makes."""
        return int(outputs.size // max(1, outputs.shape[self._channel_axis(outputs)]))

    def read_outputs(self, outputs: Array, places: npt.NDArray[np.int64]) -> Array:
        """Return [row, group, out] of what the layer makes at some places."""
        import numpy as np

        rows = np.moveaxis(outputs, self._channel_axis(outputs), -1)
        channels = rows.shape[-1]
        return rows.reshape(-1, channels)[places].reshape(
            len(places), self.group, channels // self.group
        )

    def read_inputs(self, inputs: Array, outputs: Array, places: npt.NDArray[np.int64]) -> Array:
        """Return [row, group, k] of what those outputs are sums over."""
        import numpy as np

        if self.op == "Conv":
            return self._gather(inputs, outputs.shape, places)
        rows = np.swapaxes(inputs, -1, -2) if self.turned_input else inputs
        return rows.reshape(-1, rows.shape[-1])[places][:, None]

    def _channel_axis(self, outputs: Array) -> int:
        if self.op == "Conv":
            return 1
        return outputs.ndim - (2 if self.slot == 0 else 1)

    def _gather(self, inputs: Array, made: Sequence[int], places: npt.NDArray[np.int64]) -> Array:
        import numpy as np

        rank = len(self.kernel)
        edges = [(0, 0), (0, 0), *zip(self.pads[:rank], self.pads[rank:], strict=True)]
        padded = np.pad(inputs, edges)
        _, channels, *sizes = padded.shape
        steps = [math.prod(sizes[axis + 1 :]) for axis in range(rank)]
        sample, *at = np.unravel_index(places, (made[0], *made[2:]))
        starts = sample * (channels * math.prod(sizes))
        for axis in range(rank):
            starts = starts + at[axis] * (self.strides[axis] * steps[axis])
        within = [
            sum(o * d * s for o, d, s in zip(offset, self.dilations, steps, strict=True))
            for offset in itertools.product(*map(range, self.kernel))
        ]
        reach = np.add.outer(np.arange(channels) * math.prod(sizes), within).ravel()
        found: Array = padded.reshape(-1)[np.add.outer(starts, reach)]
        return found.reshape(len(places), self.group, len(reach) // self.group)


def read_form(view: GraphView, node: onnx.NodeProto, slot: int) -> LayerForm | None:
    """Read how a weighted node is laid out; None where its rows are not written down here.

    That is ConvTranspose, a weight of more than two dimensions, and automatic padding.
    """
    weight = view.dims(node.input[slot])
    if weight is None or None in weight:
        return None
    if node.op_type == "Conv":
        return _read_conv(node, [size for size in weight if size is not None])
    if node.op_type not in {"Gemm", "MatMul"} or len(weight) != 2:  # noqa: PLR2004
        return None
    turned = [bool((read_ints(node, name) or (0,))[0]) for name in ("transA", "transB")]
    factors = [each.f for each in node.attribute if each.name == "alpha"]
    return LayerForm(
        op=node.op_type,
        slot=slot,
        turned_input=turned[0] if slot else not turned[1],
        turned_weight=turned[1] if slot else not turned[0],
        factor=factors[0] if factors else 1.0,
    )


def _read_conv(node: onnx.NodeProto, weight: Sequence[int]) -> LayerForm | None:
    rank = len(weight) - 2
    automatic = [each.s for each in node.attribute if each.name == "auto_pad"]
    if automatic not in ([], [b"NOTSET"], [b"VALID"]):
        return None
    ones = (1,) * rank
    return LayerForm(
        op="Conv",
        slot=1,
        group=(read_ints(node, "group") or (1,))[0],
        kernel=tuple(weight[2:]),
        strides=read_ints(node, "strides") or ones,
        dilations=read_ints(node, "dilations") or ones,
        pads=read_ints(node, "pads") or (0,) * (2 * rank),
    )
