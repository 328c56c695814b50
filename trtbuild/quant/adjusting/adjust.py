"""Adjust an INT8 model to a float one, front to back, one layer at a time.

Each layer is fitted to what the adjusted layers before it make of its input, so that it makes up
for their errors as well; a whole block at once would count one error several times.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trtbuild.model.folding import fold_value
from trtbuild.model.nodes import name_of
from trtbuild.model.view import GraphView
from trtbuild.model.weights_file import make_tensor
from trtbuild.quant.adjusting.layers import Bias, IntegerLayer, find_layers
from trtbuild.quant.adjusting.reconstruct import LONGEST, Reconstruction, reconstruct
from trtbuild.quant.adjusting.shift import Shift, measure_shift
from trtbuild.quant.adjusting.table import (
    AdjustedLayer,
    Adjustments,
    AdjustmentsAccount,
    add_shift,
    write_adjustments,
)
from trtbuild.quant.adjusting.walk import Walk

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import onnx

    Array = npt.NDArray[Any]

__all__ = ["MOST_SAMPLES", "AdjustRequest", "adjust_model"]

MOST_SAMPLES = 128
"""Samples that are looked at: means settle long before ranges do."""


@dataclass(frozen=True)
class AdjustRequest:
    """What is to be adjusted."""

    rounding: bool
    bias: bool


def adjust_model(
    floating: onnx.ModelProto,
    model: onnx.ModelProto,
    feeds: Sequence[Mapping[str, Array]],
    request: AdjustRequest,
    *,
    threads: int = 1,
    progress: Callable[[int, int], None],
    runnable: Callable[[onnx.ModelProto], onnx.ModelProto] = lambda model: model,
) -> tuple[Adjustments, AdjustmentsAccount]:
    """Find better integers and biases for the layers of an INT8 model, which is used up.

    `floating` is what it was made from. Scales, and which layers are INT8, stay as they are.
    `runnable` makes of either what ONNX Runtime runs on a CPU, with the same names of tensors.

    Raises:
        StepInputError: ONNX Runtime cannot run the one or the other.
    """
    layers = list(find_layers(model))
    if request.bias:
        _give_biases(model, layers)
        layers = list(find_layers(model))
    wanted = [tensor for each in layers for tensor in (each.integers, each.output)]
    work = _Adjuster(
        GraphView(floating),
        GraphView(model),
        Walk(runnable(floating), feeds, [each.output for each in layers], threads=threads),
        Walk(runnable(model), feeds, wanted, threads=threads),
        request,
    )
    told = []
    for done, layer in enumerate(layers):
        progress(done, len(layers))
        told.append(work.adjust(layer))
    progress(len(layers), len(layers))
    account = AdjustmentsAccount(samples=work.samples, layers=tuple(told), left=work.left)
    return Adjustments(work.weights, work.shifts), account


def _give_biases(model: onnx.ModelProto, layers: Sequence[IntegerLayer]) -> None:
    """Let every layer that can have a bias have one of its own."""
    import numpy as np

    nothing = {
        layer.name: np.zeros(layer.channels, np.float32)
        for layer in layers
        if layer.bias is not None
    }
    write_adjustments(model, Adjustments(shifts=nothing))


class _Adjuster:
    """A float and an INT8 model side by side, and what was found so far."""

    def __init__(
        self,
        float_view: GraphView,
        view: GraphView,
        exact: Walk,
        quantized: Walk,
        request: AdjustRequest,
    ) -> None:
        self._float_view, self._view = float_view, view
        self._exact, self._quantized = exact, quantized
        self._request = request
        self._float_nodes = {name_of(node): node for node in self._float_view.nodes}
        self.weights: dict[str, npt.NDArray[np.int8]] = {}
        self.shifts: dict[str, npt.NDArray[np.float32]] = {}
        self.left: dict[str, str] = {}

    @property
    def samples(self) -> int:
        """How many samples are still looked at."""
        return min(len(self._quantized), len(self._exact))

    def adjust(self, layer: IntegerLayer) -> AdjustedLayer:
        """Adjust the next layer."""
        self._quantized.advance(layer.integers)
        self._exact.advance(layer.output)
        self._go_on_together()
        found = self._round(layer) if self._request.rounding else None
        shift = self._shift(layer) if self._request.bias else None
        return _account_for(layer, found, shift)

    def _go_on_together(self) -> None:
        self._quantized.keep(self.samples)
        self._exact.keep(self.samples)

    def _round(self, layer: IntegerLayer) -> Reconstruction | None:
        if layer.form is None:
            self.left[layer.name] = layer.form_fault
            return None
        before = fold_value(self._view, layer.weight)
        if before.size // layer.channels > LONGEST:
            self.left[layer.name] = f"each of its sums has more than {LONGEST} products"
            return None
        node = self._float_nodes[layer.name]
        exact = fold_value(self._float_view, node.input[0 if layer.on_the_left else 1])
        found = reconstruct(
            layer,
            layer.form,
            (exact, before),
            self._unbiased(layer),
            count=self.samples,
            centred=self._request.bias and layer.bias is not None,
        )
        if found is not None:
            self.weights[layer.name] = found.weight
            self._quantized.set_constant(make_tensor(found.weight, layer.weight))
        return found

    def _unbiased(self, layer: IntegerLayer) -> Iterator[tuple[Array, Array]]:
        """Yield what a layer reads in INT8, and makes in the float model without its bias."""
        import numpy as np

        bias = _own_bias(layer)
        taken = None if bias is None else fold_value(self._view, bias.tensor).astype(np.float32)
        if bias is not None and taken is not None:
            taken = taken * np.float32(bias.factor)
        for read, made in zip(
            self._quantized.values(layer.integers), self._exact.values(layer.output), strict=True
        ):
            if taken is None:
                yield read, made
            elif layer.op == "Gemm":
                yield read, made - taken
            else:
                yield read, made - taken.reshape(-1, *[1] * (made.ndim - 2))

    def _shift(self, layer: IntegerLayer) -> Shift | None:
        import numpy as np

        if layer.bias is None:
            self.left[layer.name] = "it has no bias, and a MatMul that gets one may be float then"
            return None
        self._quantized.advance(layer.output)
        self._go_on_together()
        pairs = zip(
            self._exact.values(layer.output), self._quantized.values(layer.output), strict=True
        )
        rank = self._exact.rank(layer.output)
        axis = layer.channel_axis(rank)
        found = measure_shift(pairs, axis)
        if found is None:
            self.left[layer.name] = "what it makes is not finite"
            return None
        shift = found.missing.astype(np.float32)
        self.shifts[layer.name] = shift
        if layer.bias.node == layer.index:  # it has run already
            self._quantized.shift(layer.output, shift.reshape(-1, *[1] * (rank - 1 - axis)))
        else:
            values = add_shift(self._view, layer, layer.bias, shift)
            tensor = make_tensor(values.astype(np.float32), layer.bias.tensor)
            self._quantized.set_constant(tensor)
        return found


def _own_bias(layer: IntegerLayer) -> Bias | None:
    """Return the bias that a layer adds itself; None where there is none, or an Add does it."""
    bias = layer.bias
    own = bias is not None and bias.node == layer.index and bias.tensor
    return bias if own else None


def _account_for(
    layer: IntegerLayer, found: Reconstruction | None, shift: Shift | None
) -> AdjustedLayer:
    """Say what was gained: the output's error against what it is without its mean."""
    import numpy as np

    before = after = power = math.nan
    if shift is not None:
        before, power = float(shift.error.mean()), float(np.square(shift.deviation).mean())
        after = before - float(np.square(shift.missing).mean())
    if found is not None:
        before, after, power = found.before, found.after, found.power
    largest = 0.0
    if shift is not None:
        seen = shift.deviation > 0
        largest = float((np.abs(shift.missing[seen]) / shift.deviation[seen]).max(initial=0))
    return AdjustedLayer(
        name=layer.name,
        op=layer.op,
        before_db=_to_db(power, before),
        after_db=_to_db(power, after),
        turned=round(found.turned, 4) if found is not None else 0.0,
        shift=round(largest, 4),
    )


def _to_db(power: float, error: float) -> float | None:
    return round(10 * math.log10(power / error), 2) if power > 0 and error > 0 else None
