"""ONNX follows the values of shapes only where they are few."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.models import model_of
from trtbuild.model.shape_data import may_follow


def concats(times):
    """`c1 = Concat (c0, c0)`, and so on."""
    lines = (
        f"c{index + 1} = Concat <axis: int = 0> (c{index}, c{index})" for index in range(times)
    )
    return " ".join(lines)


def doubled(times, first):
    """A shape, concatenated with itself again and again."""
    body = f"{first}  {concats(times)}  y = Identity (c{times})"
    return model_of(f"m (float[N, 3] x) => (int64[M] y) {{ {body} }}")


def test_shapes_are_followed():
    """Two Concats of a shape: what exporters write."""
    assert may_follow(doubled(2, "c0 = Shape (x)"))


def test_what_doubles_for_ever_is_not():
    """Forty times, it would be a trillion values."""
    assert not may_follow(doubled(40, "c0 = Shape (x)"))


def test_feature_maps_may_double():
    """A network that concatenates them, as DenseNet does, is like any other: they are no lists."""
    assert may_follow(doubled(20, "c0 = Identity (x)"))


def test_a_list_of_known_length_may_not_double():
    """ONNX makes up as many values as it is long, though it knows none."""
    assert not may_follow(doubled(40, "r = Shape (x)  f = Cast <to: int = 1> (r)  h = Relu (f)  "
                                      "c0 = Cast <to: int = 7> (h)"))  # fmt: skip


LONG = {
    "range": "r = Range (zero, vast, one)",
    "input": "r = Identity (v)",
    "constant": "r = ConstantOfShape <value = int64[1] {1}> (vasts)",
    "expand": "r = Expand (ones, vasts)",
    "tile": "r = Tile (ones, vasts)",
    "pad": "p = Concat <axis = 0> (ones, vasts)  r = Pad (ones, p)",
    "onehot": "h = OneHot (ones, vast, two)  r = Squeeze (h, zero1)",
    "resize": "r = Resize (ones, , , vasts)",
    "computed": "w = Mul (large, large)  r = Range (zero, w, one)",
    "computed size": "w = Mul (larges, larges)  r = Expand (ones, w)",
}
NUMBERS = {"zero": 0, "one": 1, "vast": 10**10, "large": 10**5, "zero1": [0]}
NUMBERS |= {"ones": [1], "vasts": [10**10], "larges": [10**5], "two": [0, 1]}


@pytest.mark.parametrize("body", LONG.values(), ids=LONG)
def test_a_list_that_is_vast_is_not_followed(body):
    """However it comes to be; a second suffices for 143 bytes."""
    constants = {name: np.array(value) for name, value in NUMBERS.items() if name in body}
    text = f"m (int64[10000000000] v) => (float[M] y) {{ {body}  y = Cast <to: int = 1> (r) }}"

    assert not may_follow(model_of(text, constants))


def test_positions_are_followed():
    """A Range as long as a sentence, whose length is open."""
    constants = {"zero": np.array(0), "one": np.array(1)}
    text = """m (int64[1, S] x) => (int64[1, S] y) {
        s = Shape (x)  n = Gather (s, one)  r = Range (zero, n, one)
        c = Cast <to: int = 7> (r)  y = Unsqueeze (c, z1) }"""

    assert may_follow(model_of(text, constants | {"z1": np.array([0])}))


def test_a_branch_is_looked_into():
    """It may double what it takes from outside."""
    body = (
        f"() => (int64[M] o) {{ c0 = Concat <axis: int = 0> (s, s) {concats(40)}  o = Neg (c40) }}"
    )
    model = model_of(
        "m (bool c, float[N, 3] x) => (int64[M] y) { s = Shape (x)  "
        f"y = If (c) <then_branch: graph = a {body}, else_branch: graph = b {body}> }}"
    )

    assert not may_follow(model)
