"""What runs before and behind a model in an ensemble, as models of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trtbuild.core.errors import UsageError
from trtbuild.core.values import TensorSpec
from trtbuild.data.preprocess import Preprocess
from trtbuild.fixes.add_nms import AddNms
from trtbuild.fixes.apply import apply_fixes
from trtbuild.fixes.embed_preprocess import EmbedPreprocess
from trtbuild.measure.detection.kind import Detection
from trtbuild.model.signature import describe_tensor
from trtbuild.recipe.embedding import find_obstacle, list_embedded_options
from trtbuild.recipe.schema import Recipe

if TYPE_CHECKING:
    import onnx

__all__ = [
    "PartModel",
    "list_left_to_senders",
    "make_postprocessing",
    "make_preprocessing",
]

Size = tuple[int, int]
MADE = "preprocessed"
OPSET = 20
IR_VERSION = 10
"""The newest that ONNX Runtime reads in the releases of Triton that are in use."""
_RANK = 4


@dataclass(frozen=True)
class PartModel:
    """A small model, and what it takes and gives."""

    data: bytes
    takes: tuple[TensorSpec, ...]
    gives: tuple[TensorSpec, ...]


def make_preprocessing(
    recipe: Recipe, inputs: Sequence[TensorSpec], *, picture: Size | None
) -> PartModel | None:
    """Return what makes a recipe's pictures of bytes [batch, height, width, channels].

    Without a `picture` [height, width], bytes of the size come in that the model itself takes, and
    resizing is left to whoever sends them. None where the recipe preprocesses no pictures outside
    the model.

    Raises:
        UsageError: its preprocessing cannot be written as a graph.
    """
    found = _find_preprocess(recipe, inputs)
    if found is None:
        return None
    spec, how = found
    if why := find_obstacle(recipe, how, picture):
        if picture is None:
            return None
        raise UsageError(f"--picture: the preprocessing of the recipe {why}")
    fix = EmbedPreprocess(
        kind="embed_preprocess", picture=picture, **list_embedded_options(how, picture)
    )
    return _make_part((spec,), (MADE,), fix)


def list_left_to_senders(
    recipe: Recipe, inputs: Sequence[TensorSpec], *, picture: Size | None
) -> tuple[str, ...]:
    """Say what of a recipe's preprocessing no part does, so that whoever sends pictures has to."""
    found = _find_preprocess(recipe, inputs)
    if found is None or picture is not None:
        return ()
    _, how = found
    done = [name for name in ("resize", "fit", "crop") if getattr(how, name) is not None]
    told = ", ".join(f"{name} {_write_size(getattr(how, name))}" for name in done)
    hint = "pictures have to come in so; `--picture HxW` has the ensemble do it for such a size"
    return (f"resizing is left to whoever sends pictures ({told}): {hint}",) if done else ()


def _write_size(value: object) -> str:
    return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _find_preprocess(
    recipe: Recipe, inputs: Sequence[TensorSpec]
) -> tuple[TensorSpec, Preprocess] | None:
    """Return the input that takes pictures, and how the data that is compared on is made them."""
    named = (
        recipe.compare.data if recipe.compare else None,
        recipe.quantization.data if recipe.quantization else None,
    )
    for name in named:
        how = getattr(recipe.data.get(name or ""), "preprocess", None)
        pictures = [each for each in inputs if len(each.shape) == _RANK]
        if isinstance(how, Preprocess) and len(pictures) == 1 and how.dtype != "uint8":
            return pictures[0], how
    return None


def make_postprocessing(recipe: Recipe, outputs: Sequence[TensorSpec]) -> PartModel | None:
    """Return what makes boxes of a head's numbers, as the recipe's metric `detection` does.

    None where the recipe has no such metric, or suppression is in the model already.
    """
    metrics = recipe.compare.metrics if recipe.compare else ()
    metric = next((each for each in metrics if isinstance(each, Detection)), None)
    if metric is None or metric.layout.suppressed:
        return None
    layout = metric.layout
    read = [name or outputs[0].name for name in layout.names()]
    specs = tuple(each for name in read for each in outputs if each.name == name)
    options: dict[str, Any] = layout.model_dump(exclude={"output", "boxes", "scores"})
    options["layout"] = options.pop("kind")
    ends = [f"{spec.name}_" for spec in specs]
    options |= dict(zip(("boxes", "scores") if len(ends) > 1 else ("output",), ends, strict=True))
    shared = ("score_threshold", "iou_threshold", "class_agnostic", "multi_label", "max_detections")
    options |= {name: getattr(metric, name) for name in shared}
    return _make_part(specs, ends, AddNms(kind="add_nms", **options))


def _make_part(specs: Sequence[TensorSpec], ends: Sequence[str], fix: Any) -> PartModel:
    """Return the model that a fix makes of one that does nothing."""
    import onnx

    model, _ = apply_fixes(_make_nothing(specs, ends), [fix])
    model.ir_version = min(model.ir_version, IR_VERSION)
    onnx.checker.check_model(model)
    takes, gives = (
        tuple(describe_tensor(value, unnamed="?") for value in values)
        for values in (model.graph.input, model.graph.output)
    )
    return PartModel(model.SerializeToString(deterministic=True), takes, gives)


def _make_nothing(specs: Sequence[TensorSpec], ends: Sequence[str]) -> onnx.ModelProto:
    import numpy as np
    from onnx import helper

    def describe(name: str, spec: TensorSpec) -> onnx.ValueInfoProto:
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(spec.dtype))
        sizes = [None if size == "?" else size for size in spec.shape]
        return helper.make_tensor_value_info(name, kind, sizes)

    graph = helper.make_graph(
        [
            helper.make_node("Identity", [spec.name], [end], name=f"pass_{end}")
            for spec, end in zip(specs, ends, strict=True)
        ],
        "part",
        [describe(spec.name, spec) for spec in specs],
        [describe(end, spec) for spec, end in zip(specs, ends, strict=True)],
    )
    opset = helper.make_opsetid("", OPSET)
    return helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION)
