"""Write a model without INT8 in 16 bits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from trtbuild.core.placed import MODELS
from trtbuild.model.weights_file import use_scratch
from trtbuild.quant.half.convert import (
    HalfSettings,
    Peaks,
    convert_to_half,
    make_float_account,
    raise_opset_for_half,
)
from trtbuild.quant.half_types import HalfName
from trtbuild.quant.requests import PrecisionRequests
from trtbuild.steps.base import Context, Ref, Step

__all__ = ["ConvertPrecision"]


class ConvertPrecision(Step):
    """Convert a model to 16 bits; what would overflow stays float32."""

    version: ClassVar[int] = 5
    outputs: ClassVar[Mapping[str, str]] = {
        "model": "model.onnx",
        "account": "precision.json",
    }
    beside: ClassVar[Mapping[str, str]] = {"weights": MODELS["half"].weights}

    kind: Literal["convert_precision"] = "convert_precision"
    model: Ref
    peaks: Ref | None = None
    """How large values are; None where nothing was measured."""
    type: HalfName
    fp32: tuple[str, ...] = ()
    """Nodes that stay float32: names, patterns over names, or `op:` and an operator."""
    keep_io_types: bool = True
    """Whether float32 inputs and outputs stay float32."""

    def run(self, context: Context) -> None:
        """Write the model, and the account of every weighted layer.

        Raises:
            StepInputError: the opset cannot be raised as far as the type needs.
        """
        from trtbuild.model.onnx_file import load_onnx, write_onnx

        model = load_onnx(context.path(self.model))
        model, raised = raise_opset_for_half(model, self.type, quantized=False)
        largest = {} if self.peaks is None else context.read(self.peaks, Peaks).tensors
        high = HalfSettings(self.type, largest, keep_io_types=self.keep_io_types)
        requests = PrecisionRequests.among(
            model.graph.node, precision=dict.fromkeys(self.fp32, "fp32")
        )
        with use_scratch(context.out.parent / "scratch", of=model):
            account = convert_to_half(model, make_float_account(model), high, requests)
        account = account.model_copy(update={"remarks": (*raised, *account.remarks)})
        for remark in account.remarks:
            context.events.note(remark)
        write_onnx(model, self.out(context, "model"), self.out(context, "weights"))
        self.write(context, "account", account, indent=1)
