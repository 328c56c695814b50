"""Insert Q/DQ pairs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from trtbuild.steps.base import Context, Ref, Step

__all__ = ["Quantize"]


class Quantize(Step):
    """Overlay manual ranges and insert Q/DQ pairs where INT8 pays."""

    version: ClassVar[int] = 1
    outputs: ClassVar[Mapping[str, str]] = {
        "model": "model.onnx",
        "ranges": "ranges.json",
        "account": "quantization.json",
    }

    kind: Literal["quantize"] = "quantize"
    model: Ref
    ranges: Ref
    manual: dict[str, tuple[float, float]] = {}
    skip: tuple[str, ...] = ()

    def run(self, context: Context) -> None:
        """Write the Q/DQ model, the final range table and the account of every weighted layer."""
        raise NotImplementedError
