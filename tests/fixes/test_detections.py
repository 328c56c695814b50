"""Text of nodes that decode a head and suppress boxes."""

from __future__ import annotations

import onnx.parser
import pytest

from trtbuild.fixes.detections import Head, write_decoding, write_plugin, write_suppression

HEAD = {
    "layout": "yolov8",
    "box_format": "cxcywh",
    "transposed": False,
    "activation": "none",
    "background": None,
    "classes": 3,
    "boxes": 10,
}
HOW = {"score": 0.25, "iou": 0.5, "most": 5, "multi_label": False, "class_agnostic": False}


def ops_of(text):
    head = '<domain: "d", opset_import: ["" : 18]> f () => ()'
    return [node.op_type for node in onnx.parser.parse_function(f"{head} {{ {text} }}").node]


@pytest.mark.parametrize(("boxes", "padded"), [(10, 0), (1, 1), (None, 1)])
def test_places_are_filled_up_where_boxes_may_be_too_few(boxes, padded):
    """TopK takes no more than there are; how many that is may be open."""
    text = write_suppression(Head(**HEAD | {"boxes": boxes}), **HOW)

    assert padded == ops_of(text).count("Pad")


def test_channels_last_are_not_turned():
    """A transposed YOLOv8 head is rows of boxes already."""
    turned, rows = (write_decoding(Head(**HEAD | {"transposed": each})) for each in (False, True))

    assert ("Transpose" in ops_of(turned), "Transpose" in ops_of(rows)) == (True, False)


def test_the_plugin_is_given_the_best_class_alone():
    """It would count a box once for each class."""
    one, many = (
        ops_of(write_plugin(Head(**HEAD), **HOW | {"multi_label": each})) for each in (False, True)
    )

    assert (["EfficientNMS_TRT"], "TopK") == (many, one[1])
