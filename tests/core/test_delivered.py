"""How many layers of each quantized type were asked for, and came."""

from tests.helpers.records import target
from trtbuild.core.delivered import count_others, list_deliveries, sum_deliveries
from trtbuild.core.records import LayerPrecision

LAYERS = [
    LayerPrecision(name=f"l{index}", op="Conv", asked=asked, delivered=delivered)
    for index, (asked, delivered) in enumerate(
        [("fp8", "fp8"), ("fp8", "fp16"), ("int8", "int8"), ("fp32", "fp8")]
    )
]
ENGINE = target().model_copy(
    update={"asked_int8": 1, "delivered_int8": 1, "other_types": count_others(LAYERS)}
)


def test_a_layer_counts_where_it_was_asked_for():
    """INT8 has fields of its own; what came unasked is not counted."""
    assert {"fp8": (2, 1)} == count_others(LAYERS)


def test_types_are_told_in_order_int8_first():
    """One after the other, in words."""
    assert ["1 of 1 layers in INT8", "1 of 2 layers in FP8"] == [
        each.describe() for each in list_deliveries(ENGINE)
    ]


def test_engines_are_summed_by_type():
    """Two of the same have twice as many."""
    assert [("INT8", 2, 2), ("FP8", 4, 2)] == [tuple(x) for x in sum_deliveries([ENGINE, ENGINE])]
