"""A quantized model whose scales are inputs: one session tries any limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from trtbuild.core.values import Range, Ranges
from trtbuild.quant.apply import quantize_model
from trtbuild.quant.limits import compute_scale, explain_unusable
from trtbuild.quant.placing.policy import place_pairs

if TYPE_CHECKING:
    import numpy as np
    import onnx

__all__ = ["QuantizedTrial"]


class QuantizedTrial:
    """A model with Q/DQ pairs, weights in INT8, to be run with the scales of any limits."""

    def __init__(
        self, model: onnx.ModelProto, bare: onnx.ModelProto, limits: Mapping[str, float]
    ) -> None:
        """Quantize `model`, which is used up; `bare` is the same, and need hold no weights.

        The pairs are placed as for `limits`.
        """
        ranges = _make_ranges(limits)
        pairs = place_pairs(bare, ranges=ranges).pairs
        found = quantize_model(model, ranges=ranges)
        self.model = found.model
        self._inputs = _open_scales(self.model, {each.name for each in found.account.tensors})
        self._groups = {pair.tensor: (pair.tensor, *pair.shared_with) for pair in pairs}

    @property
    def tensors(self) -> tuple[str, ...]:
        """The tensors whose limits matter, in graph order."""
        return tuple(self._inputs)

    def find_group(self, name: str) -> tuple[str, ...]:
        """Name the tensors that share a tensor's scale, itself the first."""
        return self._groups.get(name, (name,))

    def tie(self, limits: Mapping[str, float]) -> dict[str, float]:
        """Return the limits, of tensors that share a scale the largest of theirs."""
        return {
            name: max(limits[each] for each in self.find_group(name) if each in limits)
            for name in self._inputs
        }

    def scales(self, limits: Mapping[str, float]) -> dict[str, np.ndarray]:
        """Return what feeds the scales: tensors that share one have the largest of their limits."""
        import numpy as np

        return {
            self._inputs[name][0]: np.array(compute_scale(limit), self._inputs[name][1])
            for name, limit in self.tie(limits).items()
        }


def _make_ranges(limits: Mapping[str, float]) -> Ranges:
    usable = {name: limit for name, limit in limits.items() if not explain_unusable(limit)}
    return Ranges(
        tensors={
            name: Range(low=-limit, high=limit, origin="calibrated")
            for name, limit in usable.items()
        }
    )


def _open_scales(
    model: onnx.ModelProto, tensors: set[str]
) -> dict[str, tuple[str, np.dtype[np.generic]]]:
    """Make the scale of each tensor an input; return its name and type, in graph order."""
    import onnx

    held = {tensor.name: tensor for tensor in model.graph.initializer}
    found: dict[str, tuple[str, np.dtype[np.generic]]] = {}
    for node in model.graph.node:
        name = node.input[0] if node.op_type == "QuantizeLinear" else ""
        if name in tensors and name not in found and node.input[1] in held:
            scale = held[node.input[1]]
            found[name] = scale.name, onnx.helper.tensor_dtype_to_np_dtype(scale.data_type)
            model.graph.initializer.remove(scale)
            spec = onnx.helper.make_tensor_value_info(scale.name, scale.data_type, [])
            model.graph.input.append(spec)
    return found
