from __future__ import annotations

import copy
import time

import numpy as np
import onnx
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers.models import outputs_of
from tests.helpers.quant import normal, observed, ranges_of, seeded, sqnr_db
from trtbuild.quant.apply import quantize_model
from trtbuild.quant.requests import PrecisionRequests

BLOCK = """g (float[N,3,8,8] x) => (float[N,5] y) {
    [stem] a = Conv<pads=[1,1,1,1]>(x, w1, b1)  r = Relu(a)
    [one] c = Conv<pads=[1,1,1,1]>(r, w2, b1)  [add] s = Add(c, r)  t = Relu(s)
    p = GlobalAveragePool(t)  f = Flatten(p)  [fc] y = Gemm<transB=1>(f, w3, b3)
}"""
BLOCK_WEIGHTS = {"w1": (4, 3, 3, 3), "w2": (4, 4, 3, 3), "b1": (4,), "w3": (5, 4), "b3": (5,)}


def rounded(values, scale):
    """What INT8 makes of values: an independent statement of QuantizeLinear and back."""
    return np.clip(np.round(values / scale), -128, 127) * scale


def rounded_weight(weight):
    rows = weight.reshape(len(weight), -1)
    return rounded(rows, np.abs(rows).max(axis=1, keepdims=True) / 127).reshape(weight.shape)


def conv3x3(x, weight, bias):
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    return np.einsum("nchwij,ocij->nohw", windows, weight) + bias[:, None, None]


def test_the_model_computes_what_rounding_its_operands_computes():
    """Conv, residual Add and Gemm against NumPy in float64, to a thousandth of a step."""
    model = seeded(BLOCK, **BLOCK_WEIGHTS)
    w = {t.name: onnx.numpy_helper.to_array(t).astype(np.float64) for t in model.graph.initializer}
    x = normal(4, 3, 8, 8, seed=9)
    found = quantize_model(model, ranges=ranges_of(x=2.0, r=3.0, f=1.0)).model

    stem = np.maximum(conv3x3(rounded(x, 2 / 127), rounded_weight(w["w1"]), w["b1"]), 0)
    skip = rounded(stem, 3 / 127)
    total = np.maximum(conv3x3(skip, rounded_weight(w["w2"]), w["b1"]) + skip, 0)
    pooled = rounded(total.mean(axis=(2, 3)), 1 / 127)
    expected = pooled @ rounded_weight(w["w3"]).T + w["b3"]

    # A value that lies on the border of two steps in float64 may fall to the other in float32.
    assert np.abs(expected - outputs_of(found, {"x": x})["y"]).max() < 0.01


def test_int8_stays_close_to_float():
    """Eight bits of a normal signal with limits at its extremes: 25 dB and more."""
    model = seeded(BLOCK, **BLOCK_WEIGHTS)
    feed = {"x": normal(16, 3, 8, 8, seed=9)}
    before = outputs_of(model, feed)["y"]

    found = quantize_model(copy.deepcopy(model), ranges=observed(model, feed))

    assert sqnr_db(before, outputs_of(found.model, feed)["y"]) > 25
    assert 3 == found.account.asked


def test_manual_ranges_win_and_are_kept_in_the_table():
    """By name or pattern; the table says where each came from."""
    model = seeded(BLOCK, **BLOCK_WEIGHTS)
    found = quantize_model(
        model,
        ranges=ranges_of(x=1.0, r=1.0, f=1.0),
        manual={"r": (-127.0, 254.0), "f*": (0.0, 127.0)},
    )

    scales = {tensor.name: tensor.scale for tensor in found.account.tensors}
    assert {"x": np.float32(1 / 127), "r": 2.0, "f": 1.0} == scales
    assert {"x": "calibrated", "r": "manual", "f": "manual"} == {
        name: found.ranges.tensors[name].origin for name in "xrf"
    }


def test_a_model_without_ranges_is_left_float_and_says_so():
    """No layer is quantized by halves, and each has its reason."""
    model = seeded(BLOCK, **BLOCK_WEIGHTS)
    before = [node.op_type for node in model.graph.node]

    found = quantize_model(model, ranges=ranges_of())

    assert before == [node.op_type for node in found.model.graph.node]
    assert 0 == found.account.asked
    assert "Conv `stem` stays float: there is no range for `x`" in found.account.remarks


def test_an_account_survives_json():
    """Later steps read it from a file."""
    account = quantize_model(seeded(BLOCK, **BLOCK_WEIGHTS), ranges=ranges_of(x=1.0, r=1.0)).account

    assert account == type(account).model_validate_json(account.model_dump_json())


def test_an_old_model_keeps_its_ranges_and_patterns():
    """What the converter renames is found by the names that calibration knew."""
    model = seeded(
        """<ir_version: 3, opset_import: ["" : 9]>
        g (float[N,4,2,2] x, float[4] s, float[4,4,1,1] w) => (float[N,4,4,4] y)
        <float[4] s = {1, 1, 2, 2}> {
            [grow] u = Upsample<mode="nearest">(x, s)  [last] y = Conv(u, w)
        }""",
        w=(4, 4, 1, 1),
    )
    found = quantize_model(model, ranges=ranges_of(u=1.0))

    onnx.checker.check_model(found.model, full_check=True)
    assert ["u"] == [tensor.name for tensor in found.account.tensors]
    assert ["last"] == [layer.name for layer in found.account.layers]


@st.composite
def graphs(draw):
    """Small graphs of [N,4,6,6] tensors, where every node reads any tensors before it."""
    names = ["x"]
    lines = []
    for index in range(draw(st.integers(1, 9))):
        first, second = (draw(st.sampled_from(names)) for _ in "ab")
        weight = draw(st.sampled_from(["(FIRST, w0, b)", "(FIRST, w1)", "<group=4>(FIRST, wd)"]))
        new = f"t{index}"
        lines.append(
            draw(
                st.sampled_from(
                    [
                        f"{new} = Conv{weight.replace('FIRST', first)}",
                        f"{new} = Relu({first})",
                        f"{new} = Add({first}, {second})",
                        f"{new} = Mul({first}, {second})",
                        f"{new} = MatMul({first}, {second})",
                        f"{new} = MatMul({first}, m)",
                        f"{new} = MaxPool<kernel_shape=[3,3], pads=[1,1,1,1]>({first})",
                        f"{new} = AveragePool<kernel_shape=[3,3], pads=[1,1,1,1]>({first})",
                        f"{new} = Transpose<perm=[0,1,3,2]>({first})",
                        f"c{index} = Concat<axis=1>({first}, {second})  {new} = Conv(c{index}, wc)",
                        f"{new} = ConvTranspose({first}, w0)",
                    ]
                )
            )
        )
        names.append(new)
    outputs = draw(st.lists(st.sampled_from(names[1:]), min_size=1, max_size=3, unique=True))
    declared = ", ".join(f"float[N,4,6,6] {name}" for name in outputs)
    return seeded(
        f"g (float[N,4,6,6] x) => ({declared}) {{ {'  '.join(lines)} }}",
        w0=(4, 4, 1, 1),
        w1=(4, 4, 1, 1),
        wd=(4, 1, 1, 1),
        wc=(4, 8, 1, 1),
        m=(6, 6),
        b=(4,),
    )


@given(graphs(), st.integers(0, 99), st.sets(st.sampled_from(["op:Conv", "op:Add", "t1", "t2"])))
@settings(max_examples=60, deadline=None)
def test_any_graph_stays_valid_and_runs(model, seed, skip):
    """Checker-clean, sorted, same signature, runs; twice gives equal bytes."""
    feed = {"x": normal(2, 4, 6, 6, seed=seed)}
    ranges = observed(model, feed)
    twice = [
        quantize_model(
            copy.deepcopy(model), ranges=ranges, requests=PrecisionRequests(tuple(sorted(skip)))
        )
        for _ in "ab"
    ]
    found = twice[0].model

    onnx.checker.check_model(found, full_check=True)
    assert [output.name for output in model.graph.output] == list(outputs_of(found, feed))
    assert len({each.model.SerializeToString(deterministic=True) for each in twice}) == 1
    weighted = [n for n in model.graph.node if n.op_type in {"Conv", "ConvTranspose", "MatMul"}]
    assert len(weighted) == len(twice[0].account.layers)
    names = [node.name for node in found.graph.node]
    assert len(set(names)) == len(names)


def test_a_large_model_takes_little_time():
    """94 MB of weights: well under 3 s of the processor's time (about 0.1 s), files aside."""
    count = 40
    body = "  ".join(f"a{i + 1} = Conv<pads=[1,1,1,1]>(a{i}, w{i})" for i in range(count))
    model = seeded(
        f"g (float[N,256,8,8] a0) => (float[N,256,8,8] a{count}) {{ {body} }}",
        **{f"w{i}": (256, 256, 3, 3) for i in range(count)},
    )
    start = time.process_time()
    quantize_model(model, ranges=ranges_of(**{f"a{i}": 1.0 for i in range(count)}))

    assert time.process_time() - start < 3


def test_scales_in_front_of_a_plugin_are_those_without_it():
    """Bit for bit; the plugin and what stands behind it stay float, and are named."""
    behind = BLOCK.replace("=> (float[N,5] y)", "=> (float[N,2] z)").rstrip("}") + (
        "[nms0] k = EfficientNMS_TRT<top = 3>(y, t)  [late] m = MatMul(k, w4)  z = Relu(m) }"
    )
    plain = seeded(BLOCK, **BLOCK_WEIGHTS)
    ranges = observed(plain, {"x": normal(4, 3, 8, 8)})
    alone = quantize_model(plain, ranges=ranges)

    found = quantize_model(seeded(behind, **BLOCK_WEIGHTS, w4=(5, 2)), ranges=ranges)

    assert alone.account.tensors == found.account.tensors
    scales = {t.name: t for t in alone.model.graph.initializer}
    assert [each for each in found.model.graph.initializer if each.name != "w4"] == list(
        scales.values()
    )
    assert alone.account.layers == found.account.layers[:-1]
    late = found.account.layers[-1]
    assert ("late", "fp32") == (late.name, late.precision)
    assert "it stands behind EfficientNMS_TRT `nms0`: nothing is calibrated there" == late.reason
    assert (
        "not calibrated, not compared: behind EfficientNMS_TRT `nms0`: MatMul `late`, Relu `z`"
        in found.account.remarks
    )
