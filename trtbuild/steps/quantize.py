"""Insert Q/DQ pairs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from trtbuild.core.digest import digest_of_file
from trtbuild.core.errors import StepInputError
from trtbuild.core.late_options import LATER
from trtbuild.core.placed import MODELS
from trtbuild.core.quantized_types import TYPES, QuantizedName
from trtbuild.core.regular_files import read_regular
from trtbuild.core.values import Ranges
from trtbuild.quant import AnyWeightScaling
from trtbuild.quant.requests import BlockSize, PrecisionName, PrecisionRequests
from trtbuild.quant.writing.weights import WeightsAbsmax
from trtbuild.steps.base import Context, Pinned, Ref, Step

if TYPE_CHECKING:
    import onnx

    from trtbuild.quant.adjusting.table import Adjustments
    from trtbuild.quant.apply import QuantizedModel
    from trtbuild.quant.half.convert import HalfSettings

__all__ = ["Quantize"]


class Quantize(Step):
    """Overlay manual ranges and insert Q/DQ pairs where INT8 or FP8 pays."""

    version: ClassVar[int] = 15
    outputs: ClassVar[Mapping[str, str]] = {
        "model": "model.onnx",
        "ranges": "ranges.json",
        "account": "quantization.json",
    }
    beside: ClassVar[Mapping[str, str]] = {"weights": MODELS["int8"].weights}

    kind: Literal["quantize"] = "quantize"
    model: Ref
    type: Annotated[QuantizedName, LATER] = "int8"
    """What weights and activations become."""
    block_size: Annotated[BlockSize, LATER] = 128
    """Of a type for weights alone: how many inputs of a channel share a scale."""
    ranges: Ref | None = None
    """Calibrated or imported ranges; None where all are given by hand."""
    tails: Ref | None = None
    """What ranges narrower than the calibrated ones cut off, where calibration saw it."""
    manual: dict[str, tuple[float, float]] = {}
    """Tensor name or pattern → (low, high); they win over `ranges`."""
    ranges_file: Pinned | None = None
    """More of them, by tensor name."""
    allow_missing: bool = True
    """Leave layers float whose tensors have no range; otherwise that is an error."""
    skip: tuple[str, ...] = ()
    """Nodes that stay float: a name, a pattern over names, or `op:` and an operator (a pattern)."""

    precision: dict[str, PrecisionName] = {}
    """The same patterns → a quantized type or fp32; what `skip` names stays float in any case."""
    weights: AnyWeightScaling = WeightsAbsmax(kind="absmax")
    """How the limits of weights are found."""
    high_precision: Literal["fp32", "fp16", "bf16"] = "fp32"
    """What is not quantized is written in this type."""
    keep_io_types: bool = True
    """Whether float32 inputs and outputs stay float32, whatever `high_precision` is."""
    peaks: Ref | None = None
    """How large the values of every tensor are: which of them 16 bits cannot hold."""
    adjusted: Ref | None = None
    """Integers and biases that were fitted to these scales; None where weights are rounded."""

    def files_beside(self) -> Mapping[str, str]:
        """Name large weights after the type, as the model is named where it is placed."""
        return {"weights": MODELS[self.type].weights}

    def run(self, context: Context) -> None:
        """Write the Q/DQ model, the final range table and the account of every weighted layer."""
        from trtbuild.core.ranges_used import sum_up
        from trtbuild.model.onnx_file import load_onnx, write_onnx
        from trtbuild.model.weights_file import use_scratch
        from trtbuild.quant.placing.required_ranges import find_required_ranges

        model = load_onnx(context.path(self.model))
        requests = self._read_requests(model)
        unasked = self.allow_missing or TYPES[self.type].weights_only
        wants = {} if unasked else find_required_ranges(model, requests, TYPES[self.type])
        with use_scratch(context.out.parent / "scratch", of=model):
            found = self.quantize(model, context, adjusted=self._read_adjusted(context))
        _refuse_missing(wants, found.ranges)
        ranges = self._measure_cuts(found.ranges, context)
        for remark in found.account.remarks:
            context.events.note(remark)
        write_onnx(found.model, self.out(context, "model"), self.out(context, "weights"))
        self.write(context, "ranges", ranges, indent=1, exclude_defaults=True)
        digest = digest_of_file(self.out(context, "ranges"))
        account = found.account.model_copy(update={"ranges": sum_up(ranges, digest)})
        self.write(context, "account", account, indent=1)

    def quantize(
        self,
        model: onnx.ModelProto,
        context: Context,
        *,
        adjusted: Adjustments | None = None,
        halved: bool = True,
    ) -> QuantizedModel:
        """Quantize the model, which is used up, with what the step's inputs say."""
        from trtbuild.quant.apply import quantize_model

        return quantize_model(
            model,
            ranges=self._read_given(context),
            manual=self.manual,
            filed=self._read_file(context),
            requests=self._read_requests(model),
            scaling=self.weights,
            high=self._high(context),
            adjusted=adjusted,
            halved=halved,
            into=TYPES[self.type],
            block=None if self.block_size == "channel" else self.block_size,
        )

    def _read_requests(self, model: onnx.ModelProto) -> PrecisionRequests:
        return PrecisionRequests.among(model.graph.node, skip=self.skip, precision=self.precision)

    def _read_adjusted(self, context: Context) -> Adjustments | None:
        from trtbuild.quant.adjusting.table import Adjustments

        return None if self.adjusted is None else Adjustments.read(context.path(self.adjusted))

    def _read_given(self, context: Context) -> Ranges:
        return Ranges(tensors={}) if self.ranges is None else context.read(self.ranges, Ranges)

    def _measure_cuts(self, ranges: Ranges, context: Context) -> Ranges:
        """Return ranges in which those by hand say what they cut off of what calibration saw."""
        from trtbuild.calib.tails import Tails

        if self.tails is None or not (self.manual or self.ranges_file):
            return ranges
        tails = context.read(self.tails, Tails).tensors
        table = dict(ranges.tensors)
        for name, each in ranges.tensors.items():
            cut = tails[name].cut(each.limit) if name in tails else None
            if each.origin == "manual" and cut is not None:
                told = {"clipped": round(cut[0], 4), "clipped_db": round(cut[1], 1)}
                table[name] = each.model_copy(update=told)
        return ranges.model_copy(update={"tensors": table})

    def _high(self, context: Context) -> HalfSettings | None:
        if self.high_precision == "fp32":
            return None
        from trtbuild.quant.half.convert import HalfSettings, Peaks

        largest = {} if self.peaks is None else context.read(self.peaks, Peaks).tensors
        return HalfSettings(self.high_precision, largest, keep_io_types=self.keep_io_types)

    def _read_file(self, context: Context) -> dict[str, tuple[float, float]]:
        from trtbuild.calib.range_file import list_bounds, table_from_bytes

        if self.ranges_file is None:
            return {}
        path = context.path(self.ranges_file)
        return list_bounds(table_from_bytes(read_regular(path), file=path.name))


def _refuse_missing(wants: Mapping[str, tuple[str, ...]], ranges: Ranges) -> None:
    """Refuse to leave layers float because a tensor has no range."""
    from trtbuild.quant.placing.required_ranges import find_missing_ranges

    for name in find_missing_ranges(wants, ranges.tensors):
        readers = ", ".join(f"`{reader}`" for reader in wants[name])
        raise StepInputError(
            f"there is no range for `{name}`: {readers} would stay floating point",
            hint="give it a range in `ranges`, or say `allow_missing: true`",
        )
