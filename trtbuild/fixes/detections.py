"""Non-maximum suppression as nodes of a graph, written as ONNX text.

Names with a meaning: `o` (`p`) the outputs of the head, `corners` [batch, boxes, 4], `scores`
[batch, boxes, classes], `rows` [batch, most, 6] of left, top, right, bottom, score, class.
"""

from __future__ import annotations

from typing import Literal

from trtbuild.core.box_formats import BoxFormat
from trtbuild.core.frozen import frozen

__all__ = ["Head", "write_decoding", "write_plugin", "write_rows", "write_suppression"]

_END = 2**31 - 1
_AXIS = 2
"""The axis of rows [batch, boxes, numbers] that is cut."""


@frozen
class Head:
    """What the outputs of a head are."""

    layout: Literal["yolov5", "yolov8", "ssd", "end_to_end"]
    box_format: BoxFormat
    transposed: bool
    activation: Literal["none", "softmax", "sigmoid"]
    background: Literal["first", "last"] | None
    classes: int
    """Without the background."""
    boxes: int | None
    """How many there are; None where that is not fixed."""
    shift: tuple[float, float] = (0.0, 0.0)
    """Added to the boxes that come out, across and down; and then they are stretched."""
    stretch: tuple[float, float] = (1.0, 1.0)


def _ints(name: str, *values: int) -> str:
    return f"{name} = Constant<value_ints = [{', '.join(map(str, values))}]>() "


def _float(name: str, value: float) -> str:
    return f"{name} = Constant<value_float = {value!r}>() "


def _slice(result: str, source: str, start: int, end: int) -> str:
    return (
        _ints(f"{result}_from", start)
        + _ints(f"{result}_to", end)
        + _ints(f"{result}_axis", _AXIS)
        + f"{result} = Slice({source}, {result}_from, {result}_to, {result}_axis) "
    )


def write_decoding(head: Head) -> str:
    """Write what makes `corners` and `scores` of `o`, and of `p` where scores are an output."""
    text = "of = Cast<to = 1>(o) "
    if head.layout == "ssd":
        return text + "pf = Cast<to = 1>(p) " + _corners("of", head) + _activate(head)
    turned = head.layout == "yolov8" and not head.transposed
    text += "t = Transpose<perm = [0, 2, 1]>(of) " if turned else "t = Identity(of) "
    text += _slice("b", "t", 0, 4) + _corners("b", head)
    if head.layout == "yolov5":
        return (
            text + _slice("obj", "t", 4, 5) + _slice("cls", "t", 5, _END) + "scores = Mul(obj, cls)"
        )
    return text + _slice("scores", "t", 4, 5 if head.layout == "end_to_end" else _END)


def _corners(boxes: str, head: Head) -> str:
    if head.box_format == "xyxy":
        return f"corners = Identity({boxes}) "
    if head.box_format == "yxyx":
        return _ints("order", 1, 0, 3, 2) + f"corners = Gather<axis = 2>({boxes}, order) "
    text = _slice("one", boxes, 0, 2) + _slice("size", boxes, 2, 4)
    if head.box_format == "xywh":
        return text + "two = Add(one, size) corners = Concat<axis = 2>(one, two) "
    return (
        text
        + _float("half", 0.5)
        + "reach = Mul(size, half) low = Sub(one, reach) high = Add(one, reach) "
        + "corners = Concat<axis = 2>(low, high) "
    )


def _activate(head: Head) -> str:
    names = {"none": "Identity", "sigmoid": "Sigmoid", "softmax": "Softmax<axis = 2>"}
    text = f"a = {names[head.activation]}(pf) "
    if head.background is None:
        return text + "scores = Identity(a) "
    first = head.background == "first"
    return text + (_slice("scores", "a", 1, _END) if first else _slice("scores", "a", 0, -1))


def write_suppression(
    head: Head, *, score: float, iou: float, most: int, class_agnostic: bool, multi_label: bool
) -> str:
    """Write what makes `rows` of `corners` and `scores`; `score` is one that does not count."""
    text = _ints("one1", 1) + _ints("two1", 2) + _ints("most", most)
    text += "best, kind = TopK<axis = 2>(scores, one1) "
    if class_agnostic:
        text += "rival = Transpose<perm = [0, 2, 1]>(best) "
    elif multi_label:
        text += "rival = Transpose<perm = [0, 2, 1]>(scores) "
    else:
        text += _mask_all_but_best(head) + "rival = Transpose<perm = [0, 2, 1]>(only) "
    text += (
        _float("iou", iou)
        + _float("least", score)
        + "found = NonMaxSuppression(corners, rival, most, iou, least) "
        + "picked = GatherND(rival, found) shape = Shape(rival) none = ConstantOfShape(shape) "
        + "kept = ScatterND(none, found, picked) "
        + _ints("flat2", 0, -1)
        + "flat = Reshape(kept, flat2) "
    )
    columns = head.boxes and head.boxes * (1 if class_agnostic else head.classes)
    text += _take_best("flat", columns, most)
    text += _ints("two0", 2) + "count = Gather(shape, two0) group = Div(place, count) "
    text += "before = Mul(group, count) box = Sub(place, before) "
    if class_agnostic:
        text += "flatkind = Squeeze(kind, two1) number = GatherElements<axis = 1>(flatkind, box) "
    else:
        text += "number = Identity(group) "
    return text + _join_rows(head)


def write_rows(head: Head, *, score: float, most: int) -> str:
    """Write what makes `rows` of a head that needs no suppression, of `t` and `scores`."""
    return (
        _ints("two1", 2)
        + _ints("most", most)
        + _slice("kindf", "t", 5, 6)
        + "kinds = Squeeze(kindf, two1) "
        + _float("least", score)
        + _float("zero", 0.0)
        + "counts = Greater(scores, least) only = Where(counts, scores, zero) "
        + "flat = Squeeze(only, two1) "
        + _take_best("flat", head.boxes, most)
        + "box = Identity(place) numberf0 = GatherElements<axis = 1>(kinds, box) "
        + "number = Cast<to = 7>(numberf0) "
        + _join_rows(head)
    )


def _mask_all_but_best(head: Head) -> str:
    """Write what makes `only`: scores, below 0 where another class of the box is better."""
    return (
        _ints("every", *range(head.classes))
        + "mine = Equal(kind, every) "
        + _float("never", -1.0)
        + "only = Where(mine, scores, never) "
    )


def _take_best(flat: str, columns: int | None, most: int) -> str:
    """Write what makes `top` and `place`, the best of each picture; too few are filled up."""
    text, source = "", flat
    if columns is None or columns < most:
        text = _ints("pads", 0, 0, 0, most) + f"padded = Pad({flat}, pads) "
        source = "padded"
    return f"{text} top, place0 = TopK<axis = 1>({source}, most) " + (
        _wrap(flat) if text else "place = Identity(place0) "
    )


def _wrap(flat: str) -> str:
    """Let places behind the end, whose scores are 0, be some box."""
    return (
        _ints("one0", 1)
        + f"flatshape = Shape({flat}) width = Gather(flatshape, one0) "
        + "last = Sub(width, one0) place = Min(place0, last) "
    )


def _move(head: Head, source: str, result: str) -> str:
    """Write boxes in pixels of another picture than the model's input."""
    if head.shift == (0.0, 0.0) and head.stretch == (1.0, 1.0):
        return f"{result} = Identity({source}) "
    pairs = {"shift": head.shift, "stretch": head.stretch}
    text = "".join(
        f"{name} = Constant<value_floats = [{x!r}, {y!r}, {x!r}, {y!r}]>() "
        for name, (x, y) in pairs.items()
    )
    return text + f"shifted = Add({source}, shift) {result} = Mul(shifted, stretch) "


def _join_rows(head: Head) -> str:
    return (
        _float("nought", 0.0)
        + _ints("two2", 2)
        + _ints("four", 1, 1, 4)
        + "is = Greater(top, nought) there = Cast<to = 1>(is) there3 = Unsqueeze(there, two2) "
        + "box3 = Unsqueeze(box, two2) box4 = Expand(box3, four) "
        + "edges0 = GatherElements<axis = 1>(corners, box4) "
        + _move(head, "edges0", "edges1")
        + "edges = Mul(edges1, there3) "
        + "top3 = Unsqueeze(top, two2) numberf = Cast<to = 1>(number) "
        + "named = Mul(numberf, there) named3 = Unsqueeze(named, two2) "
        + "rows = Concat<axis = 2>(edges, top3, named3) "
    )


def write_plugin(
    head: Head, *, score: float, iou: float, most: int, class_agnostic: bool, multi_label: bool
) -> str:
    """Write TensorRT's plugin: `num_dets`, `det_boxes`, `det_scores` and `det_classes`."""
    text, source = "", "scores"
    if not multi_label:
        text = _ints("one1", 1) + "best, kind = TopK<axis = 2>(scores, one1) "
        text += _mask_all_but_best(head)
        source = "only"
    told = (
        f'plugin_version = "1", background_class = -1, max_output_boxes = {most}, '
        f"score_threshold = {score!r}, iou_threshold = {iou!r}, score_activation = 0, "
        f"class_agnostic = {int(class_agnostic)}, box_coding = 0"
    )
    moved = head.shift != (0.0, 0.0) or head.stretch != (1.0, 1.0)
    made = f"num_dets, {'own_boxes' if moved else 'det_boxes'}, det_scores, det_classes"
    text += f" {made} = EfficientNMS_TRT<{told}>(corners, {source}) "
    return text + (_move(head, "own_boxes", "det_boxes") if moved else "")
