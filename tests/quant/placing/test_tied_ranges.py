from __future__ import annotations

from tests.helpers.quant import ranges_of, seeded
from trtbuild.core.values import Range, Ranges
from trtbuild.quant.apply import quantize_model
from trtbuild.quant.placing.placement import Pair
from trtbuild.quant.placing.tied_ranges import tie_ranges

DENSE = """g (float[1,2,4,4] x) => (float[1,2,2,2] y) {
    a = Conv(x, w0)  b = Relu(a)
    c = Conv(b, w1)  d = Relu(c)
    e = Concat<axis=1>(b, d)
    y = Conv(e, w2)
}"""


def dense():
    return seeded(DENSE, w0=(2, 2, 1, 1), w1=(2, 2, 1, 1), w2=(2, 4, 3, 3))


def test_a_concats_inputs_share_the_largest_limit():
    """The widened range is `tied`, the widest keeps its origin; both name the group."""
    table = quantize_model(dense(), ranges=ranges_of(x=1.0, b=2.0, e=3.0)).ranges.tensors

    assert (3.0, "tied", ("e",)) == (
        table["b"].limit,
        table["b"].origin,
        table["b"].tied_with,
    )
    assert (3.0, "calibrated", ("b",)) == (
        table["e"].limit,
        table["e"].origin,
        table["e"].tied_with,
    )
    assert () == table["x"].tied_with


def test_a_range_by_hand_keeps_its_limit():
    """Nothing a person wrote is moved."""
    found = quantize_model(
        dense(), ranges=ranges_of(x=1.0, b=2.0, e=3.0), manual={"b": (-2.0, 2.0)}
    )

    assert (2.0, "manual", ()) == (
        found.ranges.tensors["b"].limit,
        found.ranges.tensors["b"].origin,
        found.ranges.tensors["b"].tied_with,
    )


def test_the_table_holds_what_the_model_was_made_with():
    """Every scale of the account is a limit of the table."""
    found = quantize_model(dense(), ranges=ranges_of(x=1.0, b=2.0, e=3.0))

    limits = {name: each.limit for name, each in found.ranges.tensors.items()}
    assert {each.name: each.limit for each in found.account.tensors} == limits


def test_a_widened_range_clips_no_more_than_before():
    """It has the bounds of the widest; what calibration saw of the tensor stays known."""
    ranges = Ranges(
        tensors={
            "a": Range(
                low=-1.0, high=1.0, origin="calibrated", calibrator="mse",
                observed=(-1.5, 1.2), clipped=0.1,
            ),
            "b": Range(low=0.0, high=1.8, origin="calibrated", calibrator="mse"),
        }
    )  # fmt: skip
    pairs = [Pair("a", 1.8, ((0, 0),), ("b",)), Pair("b", 1.8, ((1, 0),), ("a",))]

    found = tie_ranges(ranges, pairs).tensors["a"]

    assert (0.0, 1.8, "mse") == (found.low, found.high, found.calibrator)
    assert ((-1.5, 1.2), 0.0) == (found.observed, found.clipped)
