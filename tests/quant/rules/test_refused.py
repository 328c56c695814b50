"""What TensorRT refuses: told of the node, and of no neighbour."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.models import model_of
from tests.helpers.qdq import layer
from tests.helpers.rules import X, graph, linear, written
from trtbuild.quant.rules.build_target import BuildTarget
from trtbuild.quant.rules.refused import (
    integer_io,
    mixed_types,
    opset_too_old,
    pair_mismatch,
    quantized_attention,
    scale_count,
)
from trtbuild.quant.rules.subject import RuleSubject


def nodes(rule, model, **known):
    return [node for node, _ in rule(RuleSubject(model=model, **known))]


def listed(count, axis):
    """A weight [8, 4, 3, 3] with some scales along an axis."""
    return layer(w=(8, 4, 3, 3), x="1, 4, 8, 8", axis=axis, w_scale=np.full(count, 0.1, np.float32))


@pytest.mark.parametrize(
    ("expected", "count", "axis"),
    [(0, 8, 0), (0, 4, 1), (2, 4, 0), (0, 1, 0), (2, 8, 7)],
)
def test_a_list_of_scales_is_as_long_as_its_axis(expected, count, axis):
    """Of both ends of the pair; a list of one is no list, and axis 7 there is not."""
    assert expected == len(nodes(scale_count, listed(count, axis)))


@pytest.mark.parametrize(
    ("expected", "other"), [(False, 0.05), (False, 0.05 * (1 + 5e-7)), (True, 0.0501)]
)
def test_ends_of_a_pair_may_differ_in_the_last_bits(expected, other):
    """Exporters compute a scale twice."""
    body = "[q] a = QuantizeLinear(x, s, z) [d] y = DequantizeLinear(a, o, z)"

    found = nodes(pair_mismatch, graph(body, more=f", float o = {{{other!r}}}"))
    assert expected == (found == ["d"])


@pytest.mark.parametrize(
    ("expected", "opset", "scale"),
    [(True, 12, np.full(8, 0.1, np.float32)), (False, 12, None), (False, 13, None)],
)
def test_a_scale_for_each_channel_came_with_opset_13(expected, opset, scale):
    """One scale is older."""
    model = written(layer(w_scale=np.float32(0.1) if scale is None else scale), opset=opset)

    assert expected == bool(nodes(opset_too_old, model))


@pytest.mark.parametrize(("expected", "target"), [(["heads"], "tensorrt_rtx"), ([], "tensorrt11")])
def test_only_rtx_has_no_kernel_for_a_quantized_attention(expected, target):
    """Whichever of its operands it is."""
    model = model_of("""<ir_version: 10, opset_import: ["" : 23]>
        g (float[1,4,8] q, float[1,4,8] k, float[1,4,8] v) => (float[1,4,8] y)
        <float s = {0.05}, int8 z = {0}> {
            vq = QuantizeLinear(v, s, z)  vd = DequantizeLinear(vq, s, z)
            [heads] y = Attention<q_num_heads=2, kv_num_heads=2>(q, k, vd) }""")
    assert expected == nodes(quantized_attention, model, build_target=BuildTarget(kind=target))


def test_an_int8_output_needs_a_quantizer():
    """What a Relu on integers makes has no scale."""
    sound = graph("y8 = QuantizeLinear(x, s, z)", outputs="int8[1,8,8,8] y8")
    bare = graph("a = QuantizeLinear(x, s, z) [flat] y8 = Flatten(a)", outputs="int8[8,64] y8")

    assert [] == nodes(integer_io, sound)
    assert ["flat"] == nodes(integer_io, bare)


def test_operands_of_one_layer_are_of_one_type():
    """Half-precision scales make half-precision values beside a float weight."""
    model = linear(
        "f = DequantizeLinear(x8, h, z) [one] y = Conv(f, w)",
        x8=np.zeros((1, 8, 8, 8), np.int8),
        h=np.array(0.5, np.float16),
        w=np.zeros((8, 8, 1, 1), np.float32),
    )

    assert ["one"] == nodes(mixed_types, model)
    assert [] == nodes(mixed_types, graph(f"{X} [one] y = Conv(x_dq, w)"))
