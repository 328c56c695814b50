from __future__ import annotations

import pytest

from tests.helpers.models import model_of
from tests.helpers.quant import ranges_of, seeded
from trtbuild.core.values import Range, Ranges
from trtbuild.quant.placing.policy import list_candidates, place_pairs
from trtbuild.quant.requests import PrecisionRequests

PLAIN = """g (float[N,3,8,8] x) => (float[N,4,8,8] y) {
    [one] a = Conv(x, w1, b1)  n = BatchNormalization(a, g, b1, m, v)  r = Relu(n)
    [two] y = Conv(r, w2, b1)
}"""
PLAIN_WEIGHTS = {
    "w1": (4, 3, 1, 1),
    "w2": (4, 4, 1, 1),
    "b1": (4,),
    "g": (4,),
    "m": (4,),
    "v": (4,),
}

IDENTITY_SKIP = """g (float[N,4,8,8] x) => (float[N,4,8,8] y) {
    [stem] a = Conv(x, w)  r = Relu(a)
    [main] c = Conv(r, w)  [add] s = Add(c, r)  t = Relu(s)
    [last] y = Conv(t, w)
}"""

DOWNSAMPLE = """g (float[N,4,8,8] x) => (float[N,4,8,8] y) {
    [down] d = Conv(x, w)
    [one] a = Conv(x, w)  r = Relu(a)
    [two] c = Conv(r, w)  [add] y = Add(INPUTS)
}"""

SQUARE = {"w": (4, 4, 1, 1)}


def model(text, **shapes):
    return seeded(text, **(shapes or SQUARE))


def even(model, limit=1.0):
    """Give every candidate the same range."""
    return ranges_of(**dict.fromkeys(list_candidates(model), limit))


def pairs_of(model, *, ranges=None, skip=()):
    """Map every quantized tensor to the nodes that read it quantized."""
    placement = place_pairs(
        model,
        ranges=even(model) if ranges is None else ranges,
        requests=PrecisionRequests(tuple(skip)),
    )
    nodes = model.graph.node
    return {pair.tensor: [nodes[i].name for i, _ in pair.sites] for pair in placement.pairs}


def layers_of(model, *, ranges=None, skip=()):
    placement = place_pairs(
        model,
        ranges=even(model) if ranges is None else ranges,
        requests=PrecisionRequests(tuple(skip)),
    )
    return {layer.name: layer.reason or layer.precision for layer in placement.layers}


def test_conv_inputs_are_quantized_and_nothing_between_conv_and_relu():
    """Weighted layers read quantized values; their outputs, BatchNorm and Relu stay float."""
    plain = model(PLAIN, **PLAIN_WEIGHTS)

    assert {"x": ["one"], "r": ["two"]} == pairs_of(plain)
    assert ["x", "r"] == list_candidates(plain)


def test_weights_get_a_scale_for_each_output_channel():
    """Conv has them on axis 0; a bias is never quantized."""
    placement = place_pairs(
        model(PLAIN, **PLAIN_WEIGHTS), ranges=even(model(PLAIN, **PLAIN_WEIGHTS))
    )

    assert [("w1", 0), ("w2", 0)] == [(copy.tensor, copy.axis) for copy in placement.weights]


def test_an_identity_skip_is_read_quantized():
    """The Add reads the pair that the main branch reads too; the fresh Conv output stays float."""
    assert {"x": ["stem"], "r": ["main", "add"], "t": ["last"]} == pairs_of(model(IDENTITY_SKIP))


@pytest.mark.parametrize("inputs", ["c, d", "d, c"])
def test_a_downsample_branch_is_the_skip(inputs):
    """Where both inputs are fresh Conv outputs, the shorter way is quantized, in either order."""
    block = model(DOWNSAMPLE.replace("INPUTS", inputs))

    assert {"x": ["down", "one"], "r": ["two"], "d": ["add"]} == pairs_of(block)


def test_a_skip_stays_float_where_its_conv_does():
    """An Add that nothing INT8 is fused into has nothing to gain."""
    assert {"x": ["stem"], "t": ["last"]} == pairs_of(model(IDENTITY_SKIP), skip=["main"])


def test_a_skipped_add_reads_floats():
    """`skip` takes any node, and operators."""
    expected = {"x": ["stem"], "r": ["main"], "t": ["last"]}

    assert expected == pairs_of(model(IDENTITY_SKIP), skip=["add"])
    assert expected == pairs_of(model(IDENTITY_SKIP), skip=["op:Add"])


def test_a_skip_without_a_range_is_left_and_told():
    """The Conv stays INT8; the remark names the Add and the tensor."""
    block = model(DOWNSAMPLE.replace("INPUTS", "c, d"))
    placement = place_pairs(block, ranges=ranges_of(x=1.0, r=1.0))

    assert ["x", "r"] == [pair.tensor for pair in placement.pairs]
    assert (
        "the skip input of Add `add` stays float: there is no range for `d`",
    ) == placement.remarks


def test_max_pooling_needs_no_pair_of_its_own():
    """The pair before the next Conv does: the builder moves it over the pooling."""
    pooled = model("""g (float[N,4,8,8] x) => (float[N,4,4,4] y) {
        [one] a = Conv(x, w)  [pool] p = MaxPool<kernel_shape=[2,2], strides=[2,2]>(a)
        [two] y = Conv(p, w)
    }""")

    assert {"x": ["one"], "p": ["two"]} == pairs_of(pooled)


def test_pooling_between_quantized_tensors_passes_int8_on():
    """A tensor read by a Conv and by a pooling before another has one pair and one scale."""
    branches = model("""g (float[N,4,8,8] x) => (float[N,4,8,8] y, float[N,4,8,8] z) {
        [one] y = Conv(x, w)
        [pool] p = MaxPool<kernel_shape=[3,3], pads=[1,1,1,1]>(x)  [two] z = Conv(p, w)
    }""")
    placement = place_pairs(branches, ranges=ranges_of(x=4.0, p=3.0))

    assert {"x": ["one", "pool"], "p": ["two"]} == pairs_of(branches)
    assert [4.0, 4.0] == [pair.limit for pair in placement.pairs]
    assert [("p",), ("x",)] == [pair.shared_with for pair in placement.pairs]


def test_average_pooling_between_quantized_tensors_keeps_its_own_scales():
    """An average may shrink the range; the builder requantizes inside the pooling."""
    branches = model("""g (float[N,4,8,8] x) => (float[N,4,8,8] y, float[N,4,8,8] z) {
        [one] y = Conv(x, w)
        [pool] p = AveragePool<kernel_shape=[3,3], pads=[1,1,1,1]>(x)  [two] z = Conv(p, w)
    }""")
    placement = place_pairs(branches, ranges=ranges_of(x=4.0, p=3.0))

    assert {"x": ["one", "pool"], "p": ["two"]} == pairs_of(branches)
    assert [4.0, 3.0] == [pair.limit for pair in placement.pairs]


def test_average_pooling_reads_floats_before_a_float():
    """INT8 in without INT8 out would only cost accuracy."""
    branches = model("""g (float[N,4,8,8] x) => (float[N,4,8,8] y, float[N,4,8,8] z) {
        [one] y = Conv(x, w)  [pool] z = AveragePool<kernel_shape=[3,3], pads=[1,1,1,1]>(x)
    }""")

    assert {"x": ["one"]} == pairs_of(branches)


CONCAT = """g (float[N,4,8,8] x) => (float[N,4,8,8] y, float[N,4,8,8] z) {
    [one] a = Conv(x, w)  r = Relu(a)
    [join] c = Concat<axis=1>(x, r)
    [two] y = Conv(c, w8)  [three] z = Conv(r, w)
}"""
CONCAT_WEIGHTS = {"w": (4, 4, 1, 1), "w8": (4, 8, 1, 1)}


def test_a_concat_and_its_quantized_inputs_share_the_largest_scale():
    """Then concatenating INT8 values is a copy."""
    joined = model(CONCAT, **CONCAT_WEIGHTS)
    placement = place_pairs(joined, ranges=ranges_of(x=2.0, r=3.0, c=3.0))

    assert {"x": ["one", "join"], "r": ["join", "three"], "c": ["two"]} == pairs_of(joined)
    assert [3.0, 3.0, 3.0] == [pair.limit for pair in placement.pairs]


def test_scales_are_not_shared_beyond_one_bit():
    """x would lose more than a bit under c's scale: it keeps its own, and the Concat reads x."""
    joined = model(CONCAT, **CONCAT_WEIGHTS)
    ranges = ranges_of(x=1.0, r=3.0, c=3.0)
    placement = place_pairs(joined, ranges=ranges)

    expected = {"x": ["one"], "r": ["join", "three"], "c": ["two"]}
    assert expected == pairs_of(joined, ranges=ranges)
    assert [1.0, 3.0, 3.0] == [pair.limit for pair in placement.pairs]


def test_a_manual_range_is_not_shared():
    """What was written by hand holds exactly."""
    joined = model(CONCAT, **CONCAT_WEIGHTS)
    manual = Range(low=-2.0, high=2.0, origin="manual")
    ranges = Ranges(tensors={**ranges_of(r=3.0, c=3.0).tensors, "x": manual})
    placement = place_pairs(joined, ranges=ranges)

    assert [2.0, 3.0, 3.0] == [pair.limit for pair in placement.pairs]


def test_gemm_scales_go_with_its_outputs():
    """[K, N] on axis 1; with transB, [N, K] on axis 0; MatMul as [K, N]."""
    dense = model(
        """g (float[N,4] x) => (float[N,6] y) {
            [plain] a = Gemm(x, w46)  [across] b = Gemm<transB=1>(a, w76)  [mat] y = MatMul(b, w76)
        }""",
        w46=(4, 6),
        w76=(7, 6),
    )
    placement = place_pairs(dense, ranges=even(dense))

    expected = [("w46", 1), ("w76", 0), ("w76", 1)]
    assert expected == [(copy.tensor, copy.axis) for copy in placement.weights]


def test_a_weight_read_twice_is_stored_once():
    """Two Convs with the same weight read one INT8 copy."""
    twice = model("g (float[N,4,8,8] x) => (float[N,4,8,8] y) { a = Conv(x, w)  y = Conv(a, w) }")

    assert [((0, 1), (1, 1))] == [
        copy.sites for copy in place_pairs(twice, ranges=even(twice)).weights
    ]


def test_attention_quantizes_both_operands():
    """QK and PV read INT8, the softmax output too; scaling and Softmax stay float."""
    attention = model_of("""g (float[2,4,8] q, float[2,8,4] k, float[2,4,8] v) => (float[2,4,8] y) {
        [qk] s = MatMul(q, k)  [soft] p = Softmax<axis=-1>(s)  [pv] y = MatMul(p, v)
    }""")

    assert {"q": ["qk"], "k": ["qk"], "p": ["pv"], "v": ["pv"]} == pairs_of(attention)


def test_a_feature_pyramid_adds_what_nearest_resizing_hands_on():
    """The coarse level has a pair for its own Conv; resized, it is the skip of the fine one."""
    pyramid = seeded(
        """g (float[N,4,4,4] coarse, float[N,4,8,8] fine) => (float[N,4,4,4] y, float[N,4,8,8] z)
        <float[4] twice = {1, 1, 2, 2}> {
            [head] y = Conv(coarse, w)
            [up] u = Resize<mode="nearest">(coarse, , twice)
            [lateral] l = Conv(fine, w)  [add] s = Add(u, l)  [out] z = Conv(s, w)
        }""",
        w=(4, 4, 1, 1),
    )
    ranges = ranges_of(coarse=3.0, fine=2.0, u=3.0, s=5.0)
    placement = place_pairs(pyramid, ranges=ranges)

    expected = {"coarse": ["head", "up"], "fine": ["lateral"], "u": ["add"], "s": ["out"]}
    assert expected == pairs_of(pyramid, ranges=ranges)
    assert ("u",) == placement.pairs[0].shared_with


def test_a_gate_and_an_activation_stay_float():
    """Squeeze-and-excite and hard swish: only what the convolutions read is quantized."""
    gated = model("""g (float[N,4,8,8] x) => (float[N,4,8,8] y) {
        [one] a = Conv(x, w)  h = HardSwish(a)
        p = GlobalAveragePool(h)  [squeeze] b = Conv(p, w)  r = Relu(b)
        [excite] c = Conv(r, w)  g = HardSigmoid(c)  m = Mul(h, g)  [two] y = Conv(m, w)
    }""")

    assert {"x": ["one"], "p": ["squeeze"], "r": ["excite"], "m": ["two"]} == pairs_of(gated)


def test_a_dense_block_quantizes_each_conv_input_once():
    """Behind a concatenation stand BatchNorm and Relu: no scale need be shared."""
    dense = model(
        """g (float[N,4,8,8] x) => (float[N,4,8,8] y) {
            [one] a = Conv(x, w)  c = Concat<axis=1>(x, a)
            n = BatchNormalization(c, g, g, g, g)  r = Relu(n)  [two] y = Conv(r, w8)
        }""",
        w=(4, 4, 1, 1),
        w8=(4, 8, 1, 1),
        g=(8,),
    )

    assert {"x": ["one"], "r": ["two"]} == pairs_of(dense)


def test_a_transformer_residual_stays_float():
    """Only a Conv takes its Add's skip in INT8; a dense layer's would cost accuracy for nothing."""
    dense = model(
        """g (float[N,5,4] x) => (float[N,5,4] y) {
            [norm] n = LayerNormalization(x, s, s)  [up] a = MatMul(n, w)  y = Add(a, x)
        }""",
        w=(4, 4),
        s=(4,),
    )

    assert {"n": ["up"]} == pairs_of(dense)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("given", "its weight is not constant"),
        ("half", "there is no range for `h`"),
        ("double", "its weight is double, and only float32, float16 and bfloat16 are quantized"),
        ("vector", "its weight is a vector"),
        ("across", "TensorRT-RTX computes ConvTranspose in float, whatever is asked"),
        ("inner", "it lies inside the If `either`"),
        ("quiet", "the range of `z` is zero throughout"),
        ("unseen", "there is no range for `u`"),
        ("denied", "skipped by the recipe: `den*`"),
        ("settled", "its input is constant"),
        ("empty", "its weight is empty"),
        ("whole", "`i` is int32, and only floats are quantized"),
    ],
)
def test_a_layer_left_float_says_why(name, reason):
    """Every weighted node has its line, those that cannot be INT8 as well."""
    odd = seeded(
        """g (float[N,4,8,8] x, float[4,4,1,1] k, float16[N,4] h, float[N,4] u, float[N,4] z,
              int32[2,2] i, double[N,4] d, bool c)
        => (float[N,4,8,8] y1, float16[N,4] y2, float[N] y3, float[N,4,8,8] y4, float[N,4,8,8] y5,
            float[N,4] y6, float[N,4] y7, float[N,4] y8, int32[2,2] y9,
            float[4,4] y10, float[N,0] y11, double[N,1] y12)
        <double[4,1] wd = {1, 0, 0, 0}, float16[4,4] wh = {1,0,0,0, 0,1,0,0, 0,0,1,0, 0,0,0,1}> {
            [given] y1 = Conv(x, k)
            [half] y2 = MatMul(h, wh)
            [vector] y3 = MatMul(u, v)
            [across] y4 = ConvTranspose(x, w)
            [either] y5 = If(c) <
                then_branch = yes () => (float[N,4,8,8] s) { [inner] s = Conv(x, w) },
                else_branch = no () => (float[N,4,8,8] s2) { s2 = Identity(x) }
            >
            [quiet] y6 = MatMul(z, m)
            [unseen] y7 = MatMul(u, m)
            [denied] y8 = MatMul(u, m)
            [whole] y9 = MatMul(i, i)
            [settled] y10 = MatMul(m, m)
            [empty] y11 = MatMul(u, none)
            [double] y12 = MatMul(d, wd)
        }""",
        w=(4, 4, 1, 1),
        v=(4,),
        m=(4, 4),
        none=(4, 0),
    )

    assert reason == layers_of(odd, ranges=ranges_of(x=1.0, z=0.0), skip=["den*"])[name]


def test_conv_transpose_can_be_asked_for():
    """TensorRT 10 and 11 run it in INT8; its output channels lie on axis 1."""
    up = model("g (float[N,4,8,8] x) => (float[N,4,8,8] y) { [up] y = ConvTranspose(x, w) }")
    requests = PrecisionRequests(precision={"op:ConvTranspose": "int8"})
    placement = place_pairs(up, ranges=even(up), requests=requests)

    assert [("w", 1)] == [(copy.tensor, copy.axis) for copy in placement.weights]
    assert "int8" == placement.layers[0].precision


def test_candidates_do_not_depend_on_what_a_recipe_skips_or_lacks():
    """They are in graph order, each once, and hold every tensor that any placement asks for."""
    block = model(DOWNSAMPLE.replace("INPUTS", "c, d"))

    assert ["x", "r", "d"] == list_candidates(block)


def test_a_quantized_model_has_no_candidates():
    """It brings its ranges along; there is nothing to calibrate."""
    quantized = model_of("""g (float[N,4] x) => (float[N,4] y) <float s = {0.5}, int8 z = {0}> {
        q = QuantizeLinear(x, s, z)  y = DequantizeLinear(q, s, z)
    }""")

    assert [] == list_candidates(quantized)


def test_what_stands_behind_a_plugin_is_float_unless_it_is_asked_for():
    """Whatever ranges there are: nobody can compare what comes of it."""
    late = model(
        """g (float[N,4,8,8] x) => (float[N,4,8,8] y) {
            [early] a = Conv(x, w)  [own] k = Own_TRT(a)  [late] c = Conv(k, w)  [add] y = Add(c, a)
        }"""
    )
    ranges = ranges_of(x=1.0, a=1.0, k=1.0)
    asked = PrecisionRequests(precision={"late": "int8"})

    assert ["x"] == list_candidates(late)
    assert {"x": ["early"]} == pairs_of(late, ranges=ranges)
    found = place_pairs(late, ranges=ranges, requests=asked)
    assert ["x", "k"] == [pair.tensor for pair in found.pairs]
