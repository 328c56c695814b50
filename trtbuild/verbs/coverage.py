"""How much of the INT8 work that was asked for an engine does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from trtbuild.core.model_checks import Coverage, ModelChecks
from trtbuild.core.records import TargetResult

__all__ = ["measure_coverage"]


def measure_coverage(
    results: Iterable[TargetResult | None], checks: Mapping[str, ModelChecks]
) -> Iterator[Coverage]:
    """Yield the coverage of each target that was checked, with what its engine delivers.

    A layer counts by its multiply-accumulates, and where it is INT8 although nobody asked, too.
    """
    built = {result.target: result for result in results if result is not None}
    for target, found in checks.items():
        coverage = found.coverage
        if target in built:
            coverage = _with_delivered(coverage, built[target], found.macs)
        yield coverage


def _with_delivered(coverage: Coverage, result: TargetResult, macs: Mapping[str, int]) -> Coverage:
    def work(delivered: str) -> int:
        return sum(
            macs.get(layer.name, 0)
            for layer in result.layers
            if layer.delivered == delivered and (layer.asked == "int8" or delivered == "int8")
        )

    asked = sum(macs.get(layer.name, 0) for layer in result.layers if layer.asked == "int8")
    return coverage.model_copy(
        update={
            "asked_macs": asked,
            "delivered_macs": work("int8"),
            "unknown_macs": work("unknown"),
        }
    )
