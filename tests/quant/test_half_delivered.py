"""What TensorRT-RTX makes of 16 bits; it compiles for a GPU without having one."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from tests.helpers.quant import normal, observed, seeded
from tests.quant.half.test_half import NETS, net
from trtbuild.backends.base import BuildOrder
from trtbuild.backends.tensorrt_rtx import TensorrtRtx
from trtbuild.quant.apply import quantize_model
from trtbuild.quant.half.convert import (
    HalfSettings,
    convert_to_half,
    make_float_account,
    raise_opset_for_half,
)

# Polygraphy sets a timing cache whatever the builder; TensorRT-RTX calls that deprecated.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*Timing cache operations are no-ops:DeprecationWarning"
)


def delivered(model, folder, shape, layers):
    """Return what each layer was asked for and became, for compute capability 8.9."""
    path = Path(folder, "in.onnx")
    path.write_bytes(model.SerializeToString())
    target = TensorrtRtx.model_validate_json(
        '{"kind": "tensorrt_rtx", "compute_capabilities": [8.9]}'
    )
    built = target.build(
        BuildOrder(
            path,
            Path(folder, "out.engine"),
            profiles=({"x": tuple((batch, *shape[1:]) for batch in (1, 2, 4))},),
            requested=layers,
        )
    )
    return {layer.name: (layer.asked, layer.delivered) for layer in built.layers}


@pytest.mark.parametrize("half", ["fp16", "bf16"])
@pytest.mark.parametrize("name", NETS)
def test_int8_is_delivered_in_a_16_bit_net(name, half, tmp_path):
    """Every layer, convolutions and attention alike; HardSwish is kept out of bf16 for it."""
    model, feed = net(name)
    found = quantize_model(model, ranges=observed(model, feed), high=HalfSettings(half))

    kinds = delivered(found.model, tmp_path, feed["x"].shape, found.account.layers)
    assert {("int8", "int8")} == set(kinds.values())


@pytest.mark.parametrize("half", ["fp16", "bf16"])
@pytest.mark.parametrize("name", NETS)
def test_16_bits_are_delivered_without_int8(name, half, tmp_path):
    """A MatMul that is fused into an attention kernel has no kernel of its own to read."""
    model, feed = net(name)
    model, _ = raise_opset_for_half(copy.deepcopy(model), half, quantized=False)
    account = convert_to_half(model, make_float_account(model), HalfSettings(half))

    kinds = delivered(model, tmp_path, feed["x"].shape, account.layers)
    assert {half} == {asked for asked, _ in kinds.values()}
    assert {(half, half)} == set(kinds.values()) - {(half, "unknown")}
    assert {"qk"} >= {layer for layer, found in kinds.items() if found == (half, "unknown")}


def test_a_transposed_convolution_builds_beside_bf16(tmp_path):
    """TensorRT-RTX has none in bf16: it stays float32, and what is around it does not."""
    model = seeded(
        """g (float[N,8,6,6] x) => (float[N,8,12,12] y) {
            [one] a = Conv(x, w)  [up] y = ConvTranspose<strides=[2,2]>(a, v)
        }""",
        w=(8, 8, 1, 1),
        v=(8, 8, 2, 2),
    )
    model, _ = raise_opset_for_half(model, "bf16", quantized=False)
    account = convert_to_half(model, make_float_account(model), HalfSettings("bf16"))

    kinds = delivered(model, tmp_path, normal(1, 8, 6, 6).shape, account.layers)
    assert {"one": ("bf16", "bf16"), "up": ("fp32", "fp32")} == kinds
