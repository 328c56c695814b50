from __future__ import annotations

from tests.helpers.models import model_of
from tests.helpers.quant import ranges_of, seeded
from trtbuild.core.quantized_types import FP8, INT8
from trtbuild.quant.apply import quantize_model
from trtbuild.quant.placing.required_ranges import find_missing_ranges, find_required_ranges
from trtbuild.quant.requests import PrecisionRequests

MODEL = """g (float[N,4] x) => (float[N,2] y) {
    [one] a = MatMul(x, w)  r = Relu(a)  [two] y = MatMul(r, v)
}"""


def model():
    return seeded(MODEL, w=(4, 4), v=(4, 2))


def test_wanted_is_what_would_be_quantized():
    """Each with its readers."""
    assert {"x": ("one",), "r": ("two",)} == find_required_ranges(model())


def test_what_is_skipped_wants_nothing():
    """The rest still does."""
    assert {"r": ("two",)} == find_required_ranges(model(), PrecisionRequests(("one",)))


def test_a_model_that_is_quantized_already_wants_nothing():
    """It brings its own scales."""
    assert {} == find_required_ranges(quantize_model(model(), ranges=ranges_of(x=1.0, r=1.0)).model)


def test_a_model_without_weights_wants_nothing():
    """There is no layer to quantize."""
    assert {} == find_required_ranges(model_of("g (float[N] x) => (float[N] y) { y = Relu(x) }"))


def test_a_range_of_nothing_is_lacking():
    """Limit 0 gives no scale."""
    assert ["b", "c"] == find_missing_ranges(["a", "b", "c"], ranges_of(a=1.0, b=0.0).tensors)


def test_what_stays_float_in_a_type_needs_none():
    """Of FP8 a narrow layer: nobody is asked for the range of its input."""
    model = seeded("g (float[4,8] x) => (float[4,8] y) { y = MatMul(x, w) }", w=(8, 8))

    assert [["x"], []] == [[*find_required_ranges(model, into=into)] for into in (INT8, FP8)]
