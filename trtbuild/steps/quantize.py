"""Insert Q/DQ pairs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from trtbuild.core.values import Ranges
from trtbuild.quant import Weights
from trtbuild.quant.account import Precision
from trtbuild.quant.weights import Absmax
from trtbuild.quant.wishes import Wishes
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
    """Tensor name or pattern → (low, high); they win over calibrated ranges."""
    skip: tuple[str, ...] = ()
    """Nodes that stay float: a name, a pattern over names, or `op:` and an operator (a pattern)."""

    precision: dict[str, Precision] = {}
    """The same patterns → int8 or fp32; what `skip` names stays float in any case."""
    weights: Weights = Absmax()
    """How the limits of weights are found."""

    def run(self, context: Context) -> None:
        """Write the Q/DQ model, the final range table and the account of every weighted layer."""
        import onnx

        from trtbuild.quant.apply import quantize

        found = quantize(
            onnx.load(context.path(self.model)),
            ranges=Ranges.model_validate_json(context.path(self.ranges).read_bytes()),
            manual=self.manual,
            wishes=Wishes(self.skip, self.precision),
            scaling=self.weights,
        )
        for remark in found.account.remarks:
            context.events.note(remark)
        data = found.model.SerializeToString(deterministic=True)
        self.out(context, "model").write_bytes(data)
        for output, value in (("ranges", found.ranges), ("account", found.account)):
            self.out(context, output).write_text(value.model_dump_json(indent=1) + "\n")
