"""ONNX follows the values of shapes only where they are few."""

from __future__ import annotations

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


def test_what_no_values_are_known_of_may_double():
    """A network that concatenates feature maps, as DenseNet does, is like any other."""
    assert may_follow(doubled(40, "r = Shape (x)  f = Cast <to: int = 1> (r)  h = Relu (f)  "
                                  "c0 = Cast <to: int = 7> (h)"))  # fmt: skip


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
