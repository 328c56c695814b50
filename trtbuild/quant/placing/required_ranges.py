"""Which tensors quantization needs a range for, and which of them lack one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from trtbuild.core.quantized_types import INT8, QuantizedType
from trtbuild.core.values import Range, Ranges
from trtbuild.model.nodes import name_of
from trtbuild.model.view import GraphView
from trtbuild.quant.limits import explain_unusable
from trtbuild.quant.placing.policy import list_candidates, place_pairs
from trtbuild.quant.quantized_graph import is_quantized
from trtbuild.quant.requests import PrecisionRequests

if TYPE_CHECKING:
    import onnx

__all__ = ["find_missing_ranges", "find_required_ranges"]


def find_required_ranges(
    model: onnx.ModelProto,
    requests: PrecisionRequests | None = None,
    into: QuantizedType = INT8,
) -> dict[str, tuple[str, ...]]:
    """Name the activations that a type needs a range for, each with the nodes that read it.

    They are those that would be quantized if all had a range; of a model that is quantized
    already there are none.

    Raises:
        StepInputError: the model is quantized in a form that no TensorRT takes.
    """
    view = GraphView(model)
    if is_quantized(view):
        return {}
    anything = Range(low=-1.0, high=1.0, origin="manual")
    ranges = Ranges(tensors=dict.fromkeys(list_candidates(model), anything))
    readers: dict[str, dict[str, None]] = {}
    for pair in place_pairs(model, ranges=ranges, requests=requests, into=into).pairs:
        names = (name_of(view.nodes[index]) for index, _ in pair.sites)
        readers.setdefault(pair.tensor, {}).update(dict.fromkeys(names))
    return {tensor: tuple(names) for tensor, names in readers.items()}


def find_missing_ranges(required: Iterable[str], ranges: Mapping[str, Range]) -> list[str]:
    """Return the tensors that have no range, or none that gives a scale, in the order given."""
    return [name for name in required if name not in ranges or explain_unusable(ranges[name].limit)]
