"""The rules, one row each: code, level, the function that finds, and how to mend what it found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from trtbuild.quant.quantized_graph import QUANTIZED_OTHERWISE
from trtbuild.quant.rules import (
    accuracy,
    operator_forms,
    operators,
    refused,
    silent,
    slow,
    workspace,
)
from trtbuild.quant.rules.subject import RuleHits, RuleSubject

__all__ = ["TABLE", "Rule"]

Level = Literal["error", "warning"]


@dataclass(frozen=True)
class Rule:
    """One row: an `error` stops a build, a `warning` is shown with its result."""

    code: str
    level: Level
    find: Callable[[RuleSubject], RuleHits]
    """The first line of its docstring is the rule."""
    hint: str
    measured: bool = False
    """It judges ranges that calibration finds, so it means nothing before."""

    @property
    def meaning(self) -> str:
        """The rule in a sentence: what holds where it does not fire."""
        return (self.find.__doc__ or "").strip().splitlines()[0]


_REQUANTIZE = "let trtbuild requantize it (a recipe with `quantization`), or quantize symmetrically"
_REPLACE = "replace it before the export, or name a library that has it in the target's `plugins`"
_WITHOUT = (
    "leave it out of the model (no `add_nms`, or `{kind: extract, outputs: [...]}` in `fixes`) and "
    "run it behind the engine, or write it in plain operators; TensorRT 10 and 11 have it"
)
_OWN_NAME = (
    "leave the output out when exporting (whoever feeds the input has it), or give it a name of "
    "its own: `return y, x.clone()` in torch, an Identity in ONNX"
)
_HALVE = (
    "say `precision: fp16` (beside INT8, `high_precision: fp16` in `quantization`), or export "
    "attention as MatMul and Softmax"
)
_ALLOW = "leave it float, or say `allow_float` in `quantization`"

TABLE: tuple[Rule, ...] = (
    Rule("TB101", "error", refused.zero_point, _REQUANTIZE),
    Rule("TB102", "error", refused.unsigned, _REQUANTIZE),
    Rule(
        "TB103",
        "error",
        refused.integer_type,
        "keep biases in float (`QuantizeBias: False` in ONNX Runtime), and quantize to int8",
    ),
    Rule(
        "TB104",
        "error",
        refused.unusable_scale,
        "leave the tensor in float, or give it a range that is not empty",
    ),
    Rule(
        "TB105",
        "error",
        refused.computed_scale,
        "fold constants (`fixes: [{kind: fold_constants}]`), or leave the tensor in float",
    ),
    Rule(
        "TB106",
        "error",
        refused.foreign_format,
        QUANTIZED_OTHERWISE,
    ),
    Rule(
        "TB107",
        "error",
        refused.scale_count,
        "give one scale for each output channel, or one in all",
    ),
    Rule("TB108", "error", refused.pair_mismatch, "give both nodes of a pair one scale"),
    Rule(
        "TB109",
        "error",
        refused.mixed_types,
        "write scales in the type of the network around them",
    ),
    Rule("TB110", "error", refused.opset_too_old, "export the model with a later opset"),
    Rule(
        "TB111",
        "warning",
        refused.ir_version,
        "write `model.ir_version = 10` before it is saved; trtbuild's own files have it",
    ),
    Rule(
        "TB112",
        "warning",
        refused.integer_io,
        "put a DequantizeLinear behind the input or a QuantizeLinear before the output",
    ),
    Rule(
        "TB113",
        "error",
        refused.quantized_attention,
        "export attention as MatMul and Softmax, or leave its inputs in float",
    ),
    Rule("TB114", "error", operators.lacking_operator, _REPLACE),
    Rule("TB115", "error", operators.lacking_kernel, _WITHOUT),
    Rule(
        "TB116", "error", operator_forms.unsupported_form, "write it another way before the export"
    ),
    Rule(
        "TB117",
        "error",
        operator_forms.unsupported_type,
        "cast to a type that TensorRT has before the export, or keep that part out of the model",
    ),
    Rule(
        "TB118",
        "error",
        operators.unknown_operator,
        "name the library that has it in the target's `plugins`, or replace it before the export",
    ),
    Rule("TB119", "error", operators.attention_in_float32, _HALVE),
    Rule(
        "TB120",
        "warning",
        operators.lacking_in_some,
        "mind it when you write the target; a recipe's targets are held against their own lists",
    ),
    Rule("TB121", "error", refused.returned_input, _OWN_NAME),
    Rule(
        "TB201",
        "error",
        silent.nothing_quantized,
        "mend what the reasons name, or remove `quantization`",
    ),
    Rule(
        "TB202",
        "warning",
        silent.lacking_range,
        "give the tensor a range in `ranges`, or calibrate on data that reaches it",
    ),
    Rule(
        "TB203",
        "warning",
        silent.half_quantized,
        "quantize both operands, or neither: with one, the layer is computed in float",
    ),
    Rule("TB204", "error", silent.listed_scale, "write the scale as a scalar, of shape []"),
    Rule(
        "TB205",
        "error",
        silent.scale_for_each_channel,
        "give the activation one scale; only weights may have one for each channel",
    ),
    Rule(
        "TB206",
        "error",
        silent.wrong_axis,
        "Conv 0, ConvTranspose 1, MatMul last, Gemm 1 or with transB 0; requantize the weight",
    ),
    Rule("TB207", "error", silent.transposed_in_float, _ALLOW),
    Rule(
        "TB208",
        "error",
        silent.turing,
        "remove 7.5 from compute_capabilities; Turing needs a recipe of its own",
    ),
    Rule(
        "TB209",
        "error",
        silent.fp8_too_early,
        "build for 8.9 and later, or quantize to int8",
    ),
    Rule(
        "TB210",
        "warning",
        silent.quantized_body,
        "quantize around the body, or inline it (export without control flow)",
    ),
    Rule("TB211", "warning", silent.loose_cut, "let trtbuild hold the cuts: build by a recipe"),
    Rule(
        "TB301",
        "warning",
        slow.split_fusion,
        "quantize behind the activation: nothing between a Conv and what fuses with it",
    ),
    Rule("TB302", "warning", slow.unfolded_norm, "add `{kind: fold_batchnorm}` to `fixes`"),
    Rule("TB303", "warning", slow.float_skip, "quantize the Add's skip input"),
    Rule(
        "TB304",
        "warning",
        slow.float_between,
        "quantize it too, or leave its neighbours in float",
    ),
    Rule(
        "TB305",
        "warning",
        slow.padded,
        "choose channel counts that are multiples of 4 (better 32), or `skip` these layers",
    ),
    Rule(
        "TB306",
        "warning",
        slow.mostly_fp32,
        "quantize more of it, or say `high_precision: fp16` in `quantization`",
    ),
    Rule(
        "TB401",
        "warning",
        accuracy.quantized_output,
        "leave outputs in float: nothing reads them in INT8",
    ),
    Rule(
        "TB402",
        "warning",
        accuracy.quantized_decode,
        "leave the head's last operators in float",
    ),
    Rule(
        "TB403",
        "warning",
        accuracy.unlike_scales,
        "bring them to one size (divide coordinates by the picture's size), in the model or when "
        "training; `precision: {LAYER: int8}` in `quantization` has a layer in INT8 all the same",
        measured=True,
    ),
    Rule(
        "TB404",
        "warning",
        accuracy.clipped_far,
        "give the tensor a `minmax` or `percentile` calibrator under `calibrators`, or a range",
        measured=True,
    ),
    Rule(
        "TB405",
        "warning",
        accuracy.idle_range,
        "remove the range, or give one to the tensor that is quantized (behind the activation)",
    ),
    Rule(
        "TB406",
        "warning",
        accuracy.unlike_preprocessing,
        "preprocess both alike: give both the same `preprocess`, or arrays made by the same code",
    ),
    Rule(
        "TB407",
        "warning",
        accuracy.misfitting_range,
        "correct the range, or remove it, and calibration finds one; or the data is preprocessed "
        "otherwise than whoever gave the range had it",
        measured=True,
    ),
    Rule(
        "TB408",
        "warning",
        accuracy.drawn_result,
        "make the noise an input of the model: both models are then fed the same",
    ),
    Rule("TB501", "warning", workspace.small_workspace, "give the target a `workspace` of 1GiB"),
)
