"""add_nms: what the graph makes of a head is what the metric makes of it, in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from tests.helpers.models import graph_of, model_of, outputs_of
from trtbuild.core.errors import StepInputError
from trtbuild.fixes.add_nms import AddNms
from trtbuild.fixes.apply import apply_fixes
from trtbuild.measure.detection.finding import find_boxes
from trtbuild.measure.detection.layouts import EndToEnd, Ssd, Yolov5, Yolov8

COUNT, CLASSES, BATCH = 60, 4, 2
RNG = np.random.default_rng(5)


def boxes_of(form):
    """Boxes that overlap a good deal."""
    center, size = RNG.random((BATCH, COUNT, 2)) * 60, RNG.random((BATCH, COUNT, 2)) * 30 + 5
    low, high = center - size / 2, center + size / 2
    return {
        "cxcywh": [center, size],
        "xywh": [low, size],
        "xyxy": [low, high],
        "yxyx": [low[..., ::-1], high[..., ::-1]],
    }[form]


def rows_of(form, *columns):
    return np.concatenate([*boxes_of(form), *columns], axis=2).astype(np.float32)


def scores_of(columns=CLASSES):
    return RNG.random((BATCH, COUNT, columns))


def head_of(layout, form):
    """Return the arrays of a head's outputs, and what decodes them in NumPy."""
    if layout == "yolov8":
        rows = rows_of(form, scores_of()).swapaxes(1, 2)
        return [rows], Yolov8(kind="yolov8", box_format=form)
    if layout == "yolov8 transposed":
        return [rows_of(form, scores_of())], Yolov8(kind="yolov8", transposed=True, box_format=form)
    if layout == "yolov5":
        return [rows_of(form, scores_of(1), scores_of())], Yolov5(kind="yolov5", box_format=form)
    if layout == "end_to_end":
        kinds = RNG.integers(0, CLASSES, (BATCH, COUNT, 1))
        return [rows_of(form, scores_of(1), kinds)], EndToEnd(kind="end_to_end", box_format=form)
    activation, background = layout.split()[1:]
    decoder = Ssd(
        kind="ssd",
        boxes="b",
        scores="s",
        box_format=form,
        activation=activation,
        background=None if background == "none" else background,
    )
    numbers = scores_of(CLASSES + 1) * (1 if activation == "none" else 8) - 2 * (
        activation != "none"
    )
    return [rows_of(form), numbers.astype(np.float32)], decoder


def options_of(layout, form):
    word, *more = layout.split()
    options = {"kind": "add_nms", "layout": word, "box_format": form}
    if word == "ssd":
        options |= {"boxes": "b", "scores": "s", "activation": more[0]}
        options |= {} if more[1] == "none" else {"background": more[1]}
    return options | ({"transposed": True} if more == ["transposed"] else {})


def model_for(arrays, batch="N"):
    """A head that hands on what it is fed."""
    ends = ["b", "s"][: len(arrays)]
    shapes = [f"float[{batch}, {', '.join(map(str, each.shape[1:]))}]" for each in arrays]
    inputs = ", ".join(f"{shape} {end}_in" for shape, end in zip(shapes, ends, strict=True))
    outputs = ", ".join(f"{shape} {end}" for shape, end in zip(shapes, ends, strict=True))
    body = " ".join(f"{end} = Identity({end}_in)" for end in ends)
    return model_of(f"g ({inputs}) => ({outputs}) {{ {body} }}")


def hold(layout, form, **more):
    """Compare rows of each picture with the boxes that the metric finds."""
    arrays, decoder = head_of(layout, form)
    fix = AddNms(**options_of(layout, form), **more)
    fixed, accounts = apply_fixes(model_for(arrays), [fix])
    feed = {f"{end}_in": each for end, each in zip("bs", arrays, strict=False)}
    found = outputs_of(fixed, feed)["detections"]
    for picture in range(BATCH):
        wanted = find_boxes(
            decoder,
            [each[picture] for each in arrays],
            score_threshold=fix.score_threshold,
            iou_threshold=fix.iou_threshold,
            by_class=not fix.class_agnostic,
            multi_label=fix.multi_label,
            most=fix.max_detections,
        )
        rows = found[picture][: len(wanted)]
        np.testing.assert_allclose(rows[:, :4], wanted.corners, rtol=1e-5, atol=1e-4)
        np.testing.assert_allclose(rows[:, 4], wanted.scores, rtol=1e-5)
        np.testing.assert_array_equal(rows[:, 5], wanted.classes)
        assert 0 == np.abs(found[picture][len(wanted) :]).max(initial=0)
        assert 3 < len(wanted)
    return fixed, accounts.fixes[0]


LAYOUTS = [
    ("yolov8", "cxcywh"),
    ("yolov8", "xywh"),
    ("yolov8 transposed", "yxyx"),
    ("yolov5", "cxcywh"),
    ("end_to_end", "xyxy"),
    ("ssd none none", "xyxy"),
    ("ssd softmax first", "cxcywh"),
    ("ssd sigmoid last", "xyxy"),
]


@pytest.mark.parametrize(("layout", "form"), LAYOUTS)
def test_each_layout_is_decoded_and_suppressed_as_the_metric_does(layout, form):
    """By its thresholds, by class, and each box for its best class."""
    hold(layout, form, iou_threshold=0.3, score_threshold=0.3)


WAYS = {
    "classes compete": {"class_agnostic": True},
    "several labels": {"multi_label": True},
    "few come out": {"max_detections": 5},
    "more could come out than there are": {"max_detections": 300},
    "more could, where classes compete": {"max_detections": 300, "class_agnostic": True},
    "nearly nothing is left out": {"score_threshold": 0.0, "iou_threshold": 1.0},
}


@pytest.mark.parametrize("way", WAYS)
def test_options_mean_what_the_metric_means(way):
    """Rows that are not filled are zeros."""
    hold("yolov8", "cxcywh", **{"iou_threshold": 0.4, **WAYS[way]})


def test_a_score_at_the_threshold_counts():
    """As it does in the metric, where ONNX would leave it out."""
    arrays = [np.array([[[10, 10, 4, 4, 0.5, 0.25]]], np.float32)]
    fix = AddNms(kind="add_nms", layout="yolov8", transposed=True, score_threshold=0.5)
    fixed, _ = apply_fixes(model_for(arrays), [fix])

    assert 0.5 == outputs_of(fixed, {"b_in": arrays[0]})["detections"][0, 0, 4]


def test_the_model_puts_out_detections_instead_of_the_head():
    """The batch stays dynamic; TensorRT-RTX is spoken of at once; twice is once."""
    fixed, account = hold("yolov8", "cxcywh")
    (output,) = fixed.graph.output
    dims = output.type.tensor_type.shape.dim

    assert ("detections", "N", [100, 6]) == (
        output.name,
        dims[0].dim_param,
        [each.dim_value for each in dims[1:]],
    )
    assert ("b: → detections",) == account.changed
    assert "TensorRT-RTX has no NonMaxSuppression" in account.remarks[0]
    again = apply_fixes(fixed, [AddNms(kind="add_nms", layout="yolov8")])[1].fixes[0]
    assert ("add_nms: the model has it already",) == again.remarks


def test_the_plugin_reads_corners_and_scores():
    """EfficientNMS_TRT with the four outputs that go by these names everywhere."""
    arrays, _ = head_of("yolov5", "cxcywh")
    fix = AddNms(kind="add_nms", layout="yolov5", by="efficient_nms", max_detections=50)
    fixed, _ = apply_fixes(model_for(arrays), [fix])
    (node,) = [each for each in fixed.graph.node if each.op_type == "EfficientNMS_TRT"]
    told = {each.name: each.i or each.f or each.s for each in node.attribute}

    assert ["num_dets", "det_boxes", "det_scores", "det_classes"] == [
        value.name for value in fixed.graph.output
    ]
    assert (50, pytest.approx(0.7), b"1") == (
        told["max_output_boxes"],
        told["iou_threshold"],
        told["plugin_version"],
    )


REFUSED = {
    "how many classes there are is not fixed": "float[1, C, 60]",
    "is not of layout `yolov8`: -1 classes": "float[1, 3, 60]",
    "three axes are needed": "float[1, 84]",
    "56 classes of 8 boxes|104 classes of 8 boxes": "float[1, 108, 8]",
}


@pytest.mark.parametrize("words", REFUSED)
def test_other_outputs_are_refused(words):
    """With their shape."""
    text = f"g ({REFUSED[words]} x) => ({REFUSED[words]} y) {{ y = Relu(x) }}"

    with pytest.raises(StepInputError, match=words):
        AddNms(kind="add_nms", layout="yolov8").apply(graph_of(text))


@pytest.mark.parametrize(
    "options",
    [
        {"layout": "ssd", "boxes": "b"},
        {"layout": "yolov8", "activation": "sigmoid"},
        {"layout": "yolov5", "transposed": True},
        {"layout": "yolov8", "class_agnostic": True, "multi_label": True},
        {"layout": "end_to_end", "by": "efficient_nms"},
    ],
)
def test_options_that_do_not_go_together_are_refused(options):
    """With the recipe."""
    with pytest.raises(ValidationError):
        AddNms(kind="add_nms", **options)


def test_boxes_come_out_where_they_lie_in_the_picture():
    """Less the padding of a letterbox, in the picture's own pixels; empty rows stay zeros."""
    arrays = [np.array([[[14, 20, 4, 8, 0.9, 0.1]]], np.float32)]
    fix = AddNms(
        kind="add_nms",
        layout="yolov8",
        transposed=True,
        shift=(0.0, -10.0),
        stretch=(2.0, 2.0),
        max_detections=2,
    )
    fixed, _ = apply_fixes(model_for(arrays), [fix])
    found = outputs_of(fixed, {"b_in": arrays[0]})["detections"][0]

    np.testing.assert_allclose([[24, 12, 32, 28, 0.9, 0], [0] * 6], found, rtol=1e-6)


def test_a_picture_that_nobody_speaks_of_is_refused():
    """With the fix that says its size."""
    fix = AddNms(kind="add_nms", layout="yolov8", to_picture=True)

    with pytest.raises(StepInputError, match="`to_picture` has no picture to go by"):
        fix.apply(graph_of("g (float[1, 6, 9] x) => (float[1, 6, 9] y) { y = Relu(x) }"))
