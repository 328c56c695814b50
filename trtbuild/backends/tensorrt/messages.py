"""What TensorRT says, explained: the ONNX node, the cause, and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.core.errors import StepInputError
from trtbuild.core.words import format_size, quote_whole
from trtbuild.model.nodes import name_of

if TYPE_CHECKING:
    from trtbuild.backends.tensorrt.shared import BuildLog

__all__ = ["Explanation", "explain_warnings", "find_explanation", "make_refusal"]

MANY = 3
"""Warnings of one cause that are named; the step's log has them all."""
_PARSER = re.compile(
    r"In node -?\d+ with name: (?P<node>.*?) and operator: (?P<op>\S+) \(\w+\): (?P<what>.*)",
    re.DOTALL,
)
_LAYER = re.compile(
    r"(?:any implementation for node|getBestTactic:) (?P<layer>.+?)"
    r"(?:\.?\)?\s*$|\.?\)?\.? \(|\. |,? (?:due to|try|In ))",
    re.DOTALL,
)
_TENSOR = re.compile(r"scale and zero-point for tensor (?P<tensor>.+?), expect", re.DOTALL)


@dataclass(frozen=True)
class Explanation:
    """Messages of one kind: how they read, why they come, and what helps."""

    sign: str
    """A regular expression; what it names can be used in the texts."""
    cause: str
    fix: str


EXPLANATIONS = (
    # Out of memory comes first: where it strikes, no implementation is found either.
    Explanation(
        r"(?i)bad_alloc|cannot allocate memory|host memory",
        "this machine has too little memory of its own",
        "build with fewer steps at once (`--jobs 1`), or on a larger machine",
    ),
    Explanation(
        r"(?i)(sufficient|insuf\w+) workspace|workspace (memory|size) (is )?(too|in)|"
        r"within workspace limit|workspace memory greater than",
        "the kernels of this layer need more scratch memory than they may use",
        "raise the target's `workspace`",
    ),
    Explanation(
        r"(?i)out ?of ?memory|GPU memory .*could not be allocated|insuff?icient memory|"
        r"memory is insuff?icient|"
        r"cudaErrorMemoryAllocation",
        "the GPU has too little free memory",
        "end what else uses it, lower the target's `workspace`, or make the profiles smaller",
    ),
    Explanation(
        r"Plugin not found|(?i:(could not|cannot) find plugin)|PluginCreator not found|"
        r"no importer registered",
        "{op} is no ONNX operator TensorRT knows, and no plugin that is loaded makes it",
        "name the library that has it (`plugins`), or replace it before the export",
    ),
    Explanation(
        "UNSUPPORTED_NODE",
        "TensorRT has no {op} of this form",
        "replace it before the export",
    ),
    Explanation(
        "MODEL_DESERIALIZE_FAILED",
        "the file is no ONNX model, or was cut off",
        "export it again",
    ),
    Explanation(
        "Non-zero zero point",
        "TensorRT quantizes symmetrically",
        "every zero point must be 0",
    ),
    Explanation(
        "must all be positive",
        "a scale is 0, negative or NaN",
        "look at the ranges of that tensor",
    ),
    Explanation(
        "number of scales",
        "the scales do not lie along the axis that the node names",
        "there must be one scale for each channel along it",
    ),
    Explanation("must have type FP8", "a bias is quantized to int32", "leave biases in float"),
    Explanation(
        "must be of same type",
        "the scales are of another type than what they quantize",
        "store them in the type of the layer's operands",
    ),
    Explanation(
        "not supported by a dedicated kernel",
        "there is no kernel for this Attention",
        "say `precision: fp16` (or `high_precision: fp16`): TensorRT-RTX has few kernels for it in "
        "float32, and none with INT8 operands",
    ),
    Explanation(
        "for Turing",
        "compute capability 7.5 lacks kernels that the others have",
        "take 7.5 out of `compute_capabilities`",
    ),
    Explanation(
        r"(?i)timing cache.*miss|cache miss|not found in (the )?timing cache",
        "with `frozen` no kernel may be timed, and the timing cache lacks one that is needed",
        "build once without `frozen`, and name the timing cache that is placed by the engine",
    ),
    Explanation(
        "(?i)timing cache",
        "it is of another GPU or version, or of other flags",
        "build without `frozen`, and take the new one from beside the engine",
    ),
    Explanation(
        "(?i)incompatible device|target GPU .* does not match|compute capability .* mismatch",
        "it was built for another GPU",
        "build it on the GPU that shall run it, or with `hardware_compatibility`",
    ),
    Explanation(
        r"(?i)expecting library version|version tag does not match|magic ?tag|"
        r"not compatible with this version|stdVersionRead",
        "another version of TensorRT wrote it, or the file is damaged",
        "run it with the version it was built by, or build it again with this one",
    ),
    Explanation(
        "(?i)calibration (cache|table)",
        "another version or algorithm wrote it",
        "take its ranges by `calibrator: {{kind: cache}}`",
    ),
    Explanation(
        "no scaling factors detected",
        "INT8 was asked for and no tensor has a range",
        "calibrate, or give `ranges`",
    ),
    Explanation(
        "Missing scale and zero-point",
        "the tensor has no range, so the layers around it stay float",
        "give it one by hand (`ranges`), or calibrate again",
    ),
    Explanation(
        "(?i)could not find any implementation|no tactics",
        "there is no kernel for it as it is asked for, or none within the limits set",
        "leave that node in float (`skip`), or raise `workspace`",
    ),
    Explanation(
        "cannot be negative",
        "a profile's shapes are too small for the model",
        "raise them in the recipe's `profiles`",
    ),
    Explanation(
        "(?i)profile",
        "the shapes to build for do not fit the model",
        "look at the recipe's `profiles`",
    ),
    Explanation(
        "workspace", "a kernel needs more scratch memory", "raise the target's `workspace`"
    ),
)


def find_explanation(texts: Sequence[str]) -> tuple[Explanation, str] | None:
    """Return the first explanation, in the table's order, of any message; and that message."""
    for each in EXPLANATIONS:
        for text in texts:
            if re.search(each.sign, text):
                return each, text
    return None


def make_refusal(
    name: str, log: BuildLog, otherwise: str, *, what: str = "the model", model: Path | None = None
) -> StepInputError:
    """Return the error that quotes why TensorRT refused a model or engine, and what to do.

    With the `model`, layers and tensors that a message names are led back to ONNX nodes.
    """
    parsed = [match for text in log.errors if (match := _PARSER.match(text))]
    if parsed:
        op = parsed[0]["op"]
        texts = [f"node `{parsed[0]['node']}` ({op}): {parsed[0]['what']}"]
    else:
        op, texts = "this", [*(log.errors or [otherwise])]
    found = find_explanation(texts) or find_explanation(log.warnings if not parsed else ())
    hint, quoted = "the step's log has all that it said", texts[0]
    if found is not None:
        explanation, quoted = found
        hint = f"{explanation.cause}: {explanation.fix}".format(op=op)
    hint += _tell_scratch([quoted, *log.errors], log)
    where = "" if parsed else "".join(_locate([quoted, *log.errors], model))
    return StepInputError(f"{name} refuses {what}: {where}{_quote(quoted)}", hint=hint)


def _tell_scratch(texts: Sequence[str], log: BuildLog) -> str:
    """Say how much scratch memory the kernels asked for of the layer that a message names."""
    names = [match["layer"] for text in texts for match in _LAYER.finditer(text)]
    asked = max((log.scratch.lost.get(name, 0) for name in names), default=0)
    return f" (kernels of it were lost that ask for {format_size(asked)})" if asked else ""


def explain_warnings(warnings: Sequence[str], model: Path) -> Iterator[str]:
    """Yield a builder's warnings: those that are understood explained, and once for each cause."""
    groups: dict[Explanation, list[str]] = {}
    for text in warnings:
        found = find_explanation([text])
        if found is None:
            yield _quote(text)
        else:
            groups.setdefault(found[0], []).append(text)
    for each, texts in groups.items():
        places = [place.rstrip(": ") for text in texts[:MANY] for place in _locate([text], model)]
        more = f" ({len(texts) - 1} more like it)" if len(texts) > 1 else ""
        at = f"; at {', '.join(dict.fromkeys(places))}" if places else ""
        yield f"{_quote(texts[0])}{more}{at}: {each.cause.format(op='this')}: {each.fix}"


def _locate(texts: Sequence[str], model: Path | None) -> Iterator[str]:
    """Yield the ONNX node that the first telling message names: ``node `conv` (Conv): ``."""
    for text in texts:
        names = [match["layer"] for match in _LAYER.finditer(text)]
        tensors = [match["tensor"] for match in _TENSOR.finditer(text)]
        if names or tensors:
            yield from _nodes(names, tensors, model)
            return


def _nodes(names: Sequence[str], tensors: Sequence[str], model: Path | None) -> Iterator[str]:
    from trtbuild.backends.model import OnnxModel

    read = None if model is None else OnnxModel.read(model)
    for name in names[:1]:
        # A fused layer is called after all of its nodes: `{ForeignNode[a...b]}`, `a + b`.
        first = re.split(r" \+ |\.\.\.", name.removeprefix("{ForeignNode[").rstrip("]}"))[0]
        ops = [] if read is None else [n.op_type for n in read.nodes if name_of(n) == first]
        yield f"node `{first}`{f' ({ops[0]})' if ops else ''}: "
    for tensor in tensors[:1]:
        maker = None if read is None else read.maker(tensor)
        if maker is not None:
            yield f"node `{name_of(maker)}` ({maker.op_type}): "


def _quote(text: str) -> str:
    """Quote a message, which TensorRT breaks into lines wherever it likes."""
    return quote_whole(" ".join(text.split()))
