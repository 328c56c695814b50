"""Forms of operators, and types of tensors, that a parser refuses."""

from __future__ import annotations

import pytest

from tests.helpers.models import model_of
from trtbuild.quant.rules.build_target import BuildTarget
from trtbuild.quant.rules.operator_forms import unsupported_form, unsupported_type
from trtbuild.quant.rules.subject import RuleSubject

CONSTANTS = """
    float[8] s = {1,1,1,1,1,1,1,1}, float[2] c = {1,1}, bool yes = {1}, float half = {0.5},
    float[4] twice = {1,1,2,2}, int64[4] sizes = {1,2,9,9}, int64[1,4] at = {0,0,0,0},
    float[1] one = {1}, int64[1,1,1,1] slot = {0}, float[1,1,1,1] four = {1}, int64[1] few = {3},
    int64[1] many = {3840}, int64[1] more = {3841}, float[1,2,1,1,1,1] wide = {1,1}"""

REFUSED = {
    "dilations": "y = MaxPool<kernel_shape=[2,2], dilations=[2,2]>(x)",
    "indices": "y, i = MaxPool<kernel_shape=[2,2]>(x)",
    "four axes": "a = Add(x, wide)  y = AveragePool<kernel_shape=[1,1,1,1]>(a)",
    "mean": "y, m = LayerNormalization(x, s)",
    "softcap": "y = Attention<softcap=30.0>(x, x, x)",
    "present": "y, k, v = Attention(x, x, x)",
    "training": "y, m = Dropout(x, half, yes)",
    "crop": 'y = Resize<coordinate_transformation_mode="tf_crop_and_resize">(x, s, twice)',
    "antialias": 'y = Resize<antialias=1, mode="linear">(x, , twice)',
    "aspect": 'y = Resize<keep_aspect_ratio_policy="not_larger">(x, , , sizes)',
    "scatter": 'y = ScatterND<reduction="add">(x, at, one)',
    "axes": "y = ReduceMax(x, fed)",
    "K": "y, i = TopK(x, more)",
}
ONLY_RTX = {
    "elements": 'y = ScatterElements<reduction="add">(x, slot, four)',
    "statistics": "y, a, b = BatchNormalization<training_mode=1>(x, c, c, c, c)",
    "norm": "y = LpPool<p=3, kernel_shape=[2,2]>(x)",
    "causal": "y = Attention<is_causal=1>(x, x, x, x)",
}
TAKEN = {
    "dilations": "y = MaxPool<kernel_shape=[2,2], dilations=[1,1]>(x)",
    "mean": "y = LayerNormalization(x, s)",
    "cubic": 'y = Resize<mode="cubic">(x, , twice)',
    "unsorted": "y, i = TopK<sorted=0>(x, few)",
    "K": "y, i = TopK(x, many)",
    "dropout": "y, m = Dropout(x)",
    "mask": "y = Attention(x, x, x, x)",
    "axes": "y = ReduceMax(x, few)",
}
"""What builds, though the list for 10.15 or another checker speaks against some of it."""


def form(body, inputs="float[1,2,8,8] x, int64[1] fed"):
    """A model of a node and what it needs."""
    return model_of(
        f"""<ir_version: 10, opset_import: ["" : 23]>
        g ({inputs}) => (float[a,b,c,d] y) <{CONSTANTS}> {{ {body} }}"""
    )


def faults(body, kind="tensorrt_rtx", **more):
    """What both rules find."""
    subject = RuleSubject(model=form(body, **more), build_target=BuildTarget(kind=kind))
    return [reason for rule in (unsupported_form, unsupported_type) for _, reason in rule(subject)]


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("kind", ["tensorrt10", "tensorrt11", "tensorrt_rtx"])
def test_what_the_list_and_the_parser_refuse_is_refused(name, kind):
    """One reason each."""
    assert 1 == len(faults(REFUSED[name], kind))


@pytest.mark.parametrize("name", ONLY_RTX)
def test_what_only_the_parser_refuses_is_refused_for_it_alone(name):
    """Nobody has published that the others do."""
    assert (1, 0) == (len(faults(ONLY_RTX[name])), len(faults(ONLY_RTX[name], "tensorrt10")))


@pytest.mark.parametrize("name", TAKEN)
def test_what_builds_has_no_fault(name):
    """A rule that fires on it would be noise."""
    assert [] == faults(TAKEN[name])


@pytest.mark.parametrize(
    ("expected", "kind"),
    [
        ("TensorRT has no tensors of int16", 5),
        ("TensorRT has no tensors of uint32", 12),
        ("TensorRT takes uint8 for inputs and outputs of a model alone", 2),
        ("", 6),  # int32
        ("", 7),  # int64
        ("", 11),  # double
    ],
)
def test_types_decide(expected, kind):
    """INT64 and double are none of TensorRT's own troubles: the parser converts them."""
    found = faults(f"a = Cast<to={kind}>(x)  y = Cast<to=1>(a)")

    assert ([expected] if expected else []) == list(dict.fromkeys(found))


def test_uint8_goes_in_through_a_cast():
    """What moves it before is refused."""
    pictures = "uint8[1,2,8,8] x"

    assert [] == faults("y = Cast<to=1>(x)", inputs=pictures)
    assert faults("a = Transpose<perm=[0,2,3,1]>(x)  y = Cast<to=1>(a)", inputs=pictures)


def test_a_recurrent_node_reads_both_ways_alike():
    """One kind of activations for both."""
    text = """<ir_version: 10, opset_import: ["" : 17]>
        g (float[6,1,4] x, float[2,5,4] w, float[2,5,5] r) => (float[6,2,1,5] y) {
            y = RNN<hidden_size=5, direction="bidirectional", activations=["Tanh", "?"]>(x, w, r)
        }"""
    found = {
        other: list(unsupported_form(RuleSubject(model=model_of(text.replace("?", other)))))
        for other in ("Tanh", "Relu")
    }

    assert [] == found["Tanh"]
    assert 1 == len(found["Relu"])
