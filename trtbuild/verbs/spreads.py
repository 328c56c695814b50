"""Whose values a report shows: the tensors that lose most where they are quantized."""

from __future__ import annotations

from collections.abc import Mapping

from trtbuild.core.histograms import Histograms, ValueCounts
from trtbuild.core.quantized_types import INT8, QuantizedType
from trtbuild.core.sensitivity import Sensitivity
from trtbuild.core.values import Range

__all__ = ["pick_histograms"]

MOST = 12


def pick_histograms(
    found: Histograms | None,
    ranges: Mapping[str, Range],
    layers: Sensitivity | None,
    into: QuantizedType = INT8,
) -> dict[str, ValueCounts]:
    """Return the histograms of what the worst layers read, in their order.

    Where no layers were measured: of the tensors whose range leaves the least signal over noise, as
    far as the tensor alone tells.
    """
    known = {
        name: each
        for name, each in (found.tensors if found else {}).items()
        if name in ranges and each.total
    }
    read = (use.tensor for layer in (layers.layers if layers else ()) for use in layer.operands)
    named = [name for name in dict.fromkeys(read) if name in known]

    def rank(name: str) -> tuple[float, str]:
        return known[name].estimate_db(ranges[name].limit, into), name

    worst = sorted(known, key=rank)
    return {name: known[name] for name in (named or worst)[:MOST]}
