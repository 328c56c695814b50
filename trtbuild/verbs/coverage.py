"""How much of the work that was asked for in a quantized type an engine does so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from trtbuild.core.model_checks import Coverage, ModelChecks
from trtbuild.core.overview import LayerPrecision, TargetResult
from trtbuild.core.quantized_types import TYPES

__all__ = ["measure_coverage"]

_FLOATS = ("fp32", "fp16", "bf16")


def measure_coverage(
    results: Iterable[TargetResult | None], checks: Mapping[str, ModelChecks]
) -> Iterator[Coverage]:
    """Yield the coverage of each target that was checked, with what its engine delivers.

    A layer counts by its multiply-accumulates; one that is quantized though nobody asked, too.
    """
    built = {result.target: result for result in results if result is not None}
    for target, found in checks.items():
        coverage = found.coverage
        if target in built:
            coverage = _with_delivered(coverage, built[target], found.macs)
        yield coverage


def _with_delivered(coverage: Coverage, result: TargetResult, macs: Mapping[str, int]) -> Coverage:
    def work(layers: Iterable[LayerPrecision]) -> int:
        return sum(macs.get(layer.name, 0) for layer in layers)

    asked = [layer for layer in result.layers if layer.asked in TYPES]
    return coverage.model_copy(
        update={
            "asked_macs": work(asked),
            "delivered_macs": work(each for each in result.layers if _is_delivered(each)),
            "unknown_macs": work(each for each in asked if each.delivered == "unknown"),
        }
    )


def _is_delivered(layer: LayerPrecision) -> bool:
    """Tell whether a layer is in the quantized type asked for, or in one though none was."""
    return layer.delivered in TYPES and layer.asked in {layer.delivered, *_FLOATS}
