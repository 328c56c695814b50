"""What a whole build shows that none of its steps sees."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from trtbuild.core.action import Outcome
from trtbuild.core.delivered import list_deliveries
from trtbuild.core.overview import TargetResult
from trtbuild.core.words import format_size

__all__ = ["list_warnings"]

OVERHEAD_BYTES = 4 << 20
"""What an engine holds beside weights, for each compute capability, without a cause to wonder."""


def list_warnings(
    outcomes: Iterable[Outcome], targets: Iterable[TargetResult | None]
) -> Iterator[str]:
    """Yield a warning for each quantized engine that is larger than its model in FP32."""
    float_bytes = sum(
        artifact.size_bytes
        for outcome in outcomes
        for artifact in outcome.artifacts
        if outcome.step == "fix_graph" and artifact.name in ("model", "weights")
    )
    for target in targets:
        asked = () if target is None else list_deliveries(target)
        if target is None or not asked or not float_bytes:
            continue
        most = float_bytes + OVERHEAD_BYTES * max(1, len(target.built_for))
        word = " and ".join(each.word for each in asked)
        if target.engine_size_bytes > most:
            yield (
                f"the engine of `{target.target}`, {format_size(target.engine_size_bytes)}, is "
                f"larger than the model before quantization, {format_size(float_bytes)}: {word} "
                "saves no memory there (hint: build it without `quantization` and compare; fewer "
                "compute capabilities in one engine make it smaller)"
            )
