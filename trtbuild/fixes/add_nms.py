"""Put non-maximum suppression into the model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from trtbuild.core.box_formats import BoxFormat
from trtbuild.core.errors import StepInputError
from trtbuild.core.options import NonEmpty, UnitInterval
from trtbuild.fixes.base import FixKind, FixLog
from trtbuild.fixes.detections import (
    Head,
    write_decoding,
    write_plugin,
    write_rows,
    write_suppression,
)
from trtbuild.fixes.rewriting import rewrite, splice
from trtbuild.fixes.tensors import (
    describe_shape,
    find_tensors,
    iterate_all_nodes,
    refuse_absent,
    require_opset,
    tell_ends,
)

if TYPE_CHECKING:
    import onnx
    import onnx_graphsurgeon as gs

__all__ = ["AddNms"]

PREFIX = "add_nms"
NEEDED = 13
AXES = 3
_FLOAT, _INT32 = 1, 6
_HEADS = {"yolov5": 5, "yolov8": 4, "end_to_end": 5, "ssd": 0}
"""What stands in front of the scores of classes."""


class AddNms(FixKind):
    """Put non-maximum suppression into the model: the head's numbers in, boxes that count out.

    `detections` [batch, max_detections, 6] takes the place of the head's outputs: left, top, right,
    bottom, score, class; highest score first, zeros where there are fewer. It is what the metric
    `detection` makes of the head with the same options, and reads back as layout `end_to_end`.

    By `efficient_nms`, a plugin that TensorRT 10 and 11 bring and no ONNX Runtime runs: `num_dets`,
    `det_boxes`, `det_scores` and `det_classes`. TensorRT-RTX has neither: leave this fix out there,
    and suppress behind the engine.
    """

    kind: Literal["add_nms"]
    layout: Literal["yolov8", "yolov5", "ssd", "end_to_end"]
    """What the head puts out: `yolov8` [batch, 4 + classes, boxes] (to v12), `yolov5` [batch,
    boxes, 5 + classes] (to v7, YOLOX), `ssd` (boxes and scores as two outputs), `end_to_end`
    (YOLOv10: [batch, boxes, 6], which needs no suppression and is cut at the threshold)."""
    output: NonEmpty | None = None
    """The head's output; by default the model's only one. `ssd` names two others instead."""
    boxes: NonEmpty | None = None
    """Of `ssd`, the output [batch, boxes, 4]."""
    scores: NonEmpty | None = None
    """Of `ssd`, the output [batch, boxes, classes]."""
    transposed: bool = False
    """Whether a `yolov8` output is [batch, boxes, 4 + classes] instead."""
    box_format: BoxFormat | None = None
    """The four numbers of a box: centre and size (`cxcywh`, so by default in YOLOv5 and v8), left,
    top and size (`xywh`), or corners (`xyxy`, so by default in the others; `yxyx`)."""
    activation: Literal["none", "softmax", "sigmoid"] = "none"
    """Of `ssd`, what makes scores of 0..1 of the output's numbers, where the model does not."""
    background: Literal["first", "last"] | None = None
    """Of `ssd`, which class means that there is nothing; classes count from 0 without it."""
    score_threshold: UnitInterval = 0.25
    """The least score of a box that counts."""
    iou_threshold: UnitInterval = 0.7
    """A box goes that overlaps with a better one by more than this."""
    class_agnostic: bool = False
    """Whether a box also goes where the better one is of another class."""
    multi_label: bool = False
    """Whether a box counts for every class that reaches the threshold, and not for its best one
    alone."""
    max_detections: Annotated[int, Field(gt=0, le=3840)] = 100
    """How many boxes of a picture come out, those of the highest scores."""
    to_picture: bool = False
    """Whether boxes come out in pixels of the `picture` that `embed_preprocess` takes, and not of
    what the model sees of it. `shift` and `stretch` are then found."""
    shift: tuple[float, float] = (0.0, 0.0)
    """Added to the boxes that come out, across and down."""
    stretch: tuple[float, float] = (1.0, 1.0)
    """What they are multiplied by after that."""
    by: Literal["onnx", "efficient_nms"] = "onnx"
    """What does it: ONNX's NonMaxSuppression, which ONNX Runtime, TensorRT 10 and 11 have, or the
    plugin EfficientNMS_TRT: one kernel, but nobody can calibrate or compare behind it here."""

    @model_validator(mode="after")
    def _fit(self) -> Self:
        """Refuse options that do not go together."""
        if (self.layout == "ssd") != (self.boxes is not None and self.scores is not None):
            raise ValueError("`boxes` and `scores` name the two outputs of layout `ssd`, alone")
        if self.layout != "ssd" and (self.activation != "none" or self.background):
            raise ValueError("`activation` and `background` are for layout `ssd` alone")
        if self.transposed and self.layout != "yolov8":
            raise ValueError("`transposed` is for layout `yolov8` alone")
        if self.class_agnostic and self.multi_label:
            raise ValueError("`class_agnostic` and `multi_label` do not go together")
        if self.layout == "end_to_end" and self.by != "onnx":
            raise ValueError("layout `end_to_end` needs no suppression, and so no `by`")
        return self

    def apply(self, graph: gs.Graph) -> FixLog:
        """Change the graph in place and say what was done.

        Raises:
            StepInputError: there are no such outputs, or they are not of this layout.
        """
        log = FixLog()
        if any(node.name.startswith(f"{PREFIX}/") for node in iterate_all_nodes(graph)):
            log.remark("add_nms: the model has it already")
            return log
        if self.to_picture:
            raise StepInputError(
                "add_nms: `to_picture` has no picture to go by",
                hint="put `{kind: embed_preprocess, data: ..., picture: [...]}` in front of it",
            )
        require_opset(graph, NEEDED, self.kind)
        outputs = [self._find(graph, name) for name in self._names()]
        head = self._read_head(outputs)
        made = self._made_names(graph)
        rewrite(graph, lambda model: self._write(model, head, [t.name for t in outputs], made))
        log.changed(", ".join(tensor.name for tensor in outputs), f"→ {', '.join(made)}")
        if head.layout != "end_to_end" and self.by == "onnx":
            log.remark("add_nms: TensorRT-RTX has no NonMaxSuppression; TensorRT 10 and 11 have it")
        return log

    def _names(self) -> list[str | None]:
        return [self.boxes, self.scores] if self.layout == "ssd" else [self.output]

    def _find(self, graph: gs.Graph, name: str | None) -> gs.Variable:
        found = [each for each in graph.outputs if name in {None, each.name}]
        if not found:
            raise refuse_absent(self.kind, str(name), [t.name for t in graph.outputs], "output")
        if len(found) > 1:
            raise StepInputError(
                f"add_nms: the model has {len(found)} outputs, and `output` says none of them",
                hint=f"outputs: {tell_ends(graph.outputs)}",
            )
        if found[0].shape is None or len(found[0].shape) != AXES:
            raise self._refuse(found, "three axes are needed")
        return found[0]

    def _refuse(self, outputs: Sequence[gs.Tensor], why: str) -> StepInputError:
        return StepInputError(
            f"add_nms: {tell_ends(outputs)} is not of layout `{self.layout}`: {why}",
            hint="is it another layout, or `transposed`? `trtbuild kinds add_nms` describes them",
        )

    def _read_head(self, outputs: Sequence[gs.Variable]) -> Head:
        """Hold the outputs against the layout, by their shapes."""
        last = outputs[-1].shape
        turned = self.layout == "yolov8" and not self.transposed
        columns, rows = (last[1], last[2]) if turned else (last[2], last[1])
        if not isinstance(columns, int):
            raise self._refuse(outputs, "how many classes there are is not fixed")
        classes = columns - _HEADS[self.layout] - (1 if self.background else 0)
        count = rows if isinstance(rows, int) else None
        if self.layout == "end_to_end" and columns != _HEADS["end_to_end"] + 1:
            raise self._refuse(outputs, f"a row has {columns} numbers, and not 6")
        if self.layout == "ssd" and outputs[0].shape[2] != 4:  # noqa: PLR2004  # numbers of a box
            raise self._refuse(outputs, f"a box has {describe_shape(outputs[0])} numbers")
        if classes < 1 or (count is not None and columns > max(count, 100)):
            raise self._refuse(outputs, f"{classes} classes of {count or '?'} boxes")
        usual: BoxFormat = "cxcywh" if self.layout in {"yolov5", "yolov8"} else "xyxy"
        return Head(
            layout=self.layout,
            box_format=self.box_format or usual,
            transposed=self.transposed,
            activation=self.activation,
            background=self.background,
            classes=classes,
            boxes=count,
            shift=self.shift,
            stretch=self.stretch,
        )

    def _made_names(self, graph: gs.Graph) -> list[str]:
        plugin = ["num_dets", "det_boxes", "det_scores", "det_classes"]
        made = plugin if self.by == "efficient_nms" else ["detections"]
        if taken := [name for name in made if name in find_tensors(graph)]:
            raise StepInputError(
                f"add_nms: there is a tensor `{taken[0]}` already, as the new output is called",
                hint="rename that one first: `{kind: rename, names: {" + taken[0] + ": ...}}`",
            )
        return made

    def _write(
        self, model: onnx.ModelProto, head: Head, outputs: Sequence[str], made: Sequence[str]
    ) -> onnx.ModelProto:
        bound = dict(zip(("o", "p"), outputs, strict=False))
        bound |= {"rows": "detections"} if self.by == "onnx" else {name: name for name in made}
        splice(model, f"{write_decoding(head)} {self._write_rest(head)}", bound, PREFIX)
        ends = {value.name: place for place, value in enumerate(model.graph.output)}
        batch = model.graph.output[ends[outputs[0]]].type.tensor_type.shape.dim[0]
        first = min(ends[name] for name in outputs)
        kept = [value for value in model.graph.output if value.name not in outputs]
        new = [self._describe(name, batch) for name in made]
        del model.graph.output[:]
        model.graph.output.extend([*kept[:first], *new, *kept[first:]])
        return model

    def _write_rest(self, head: Head) -> str:
        import numpy as np

        # NonMaxSuppression takes scores above its threshold, and the least that counts is one.
        least = float(np.nextafter(np.float32(self.score_threshold), np.float32(-1)))
        if head.layout == "end_to_end":
            return write_rows(head, score=least, most=self.max_detections)
        write = write_plugin if self.by == "efficient_nms" else write_suppression
        return write(
            head,
            score=least if self.by == "onnx" else self.score_threshold,
            iou=self.iou_threshold,
            most=self.max_detections,
            class_agnostic=self.class_agnostic,
            multi_label=self.multi_label,
        )

    def _describe(self, name: str, batch: onnx.TensorShapeProto.Dimension) -> onnx.ValueInfoProto:
        import onnx

        most = self.max_detections
        sizes = {"detections": [most, 6], "num_dets": [1], "det_boxes": [most, 4]}.get(name, [most])
        whole = name in {"num_dets", "det_classes"}
        value = onnx.helper.make_tensor_value_info(
            name, _INT32 if whole else _FLOAT, [None, *sizes]
        )
        value.type.tensor_type.shape.dim[0].CopyFrom(batch)
        return value
