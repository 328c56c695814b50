"""fold_batchnorm: `BatchNormalization(W x + b)` → `(s W) x + (s b + t)`."""

from __future__ import annotations

import numpy as np
import onnx_graphsurgeon as gs
import pytest

from tests.helpers.models import graph_of, model_of, outputs_of
from trtbuild.fixes.fold_batchnorm import FoldBatchnorm

FOLD = FoldBatchnorm(kind="fold_batchnorm")
NORM = "<float[2] g = {2, 3}, float[2] b = {10, 20}, float[2] m = {1, 1}, float[2] v = {4, 9}>"
"""s = gamma / sqrt(variance) = 1 for both channels; t = beta - s mean = 9 and 19."""
KERNEL = {"w": np.array([5, 7], np.float32).reshape(2, 1, 1, 1)}


def folded(text, weights=None):
    graph = graph_of(text, weights)
    account = FOLD.apply(graph)
    return graph.cleanup(), account


def test_known_numbers():
    """W = (5, 7) with s = (2/2, 3/3) and t = (9, 19): the weights stay, the bias is t."""
    graph, account = folded(
        f"""g (float[N, 1, 4, 4] x) => (float[N, 2, 4, 4] y) {NORM}
        {{ [c] z = Conv(x, w)  [n] y = BatchNormalization<epsilon = 0.0>(z, g, b, m, v) }}""",
        KERNEL,
    )
    conv = graph.nodes[0]

    assert ["Conv"] == [node.op for node in graph.nodes]
    assert [5, 7] == conv.inputs[1].values.ravel().tolist()
    assert [9, 19] == conv.inputs[2].values.tolist()
    assert "y" == conv.outputs[0].name
    assert ["n: into c"] == account.changes


def test_a_bias_is_scaled_and_shifted():
    """b = (1, 2), s = (2 / 4, 2 / 4), t = (3, 3): (3.5, 4); W = (5, 7) becomes (2.5, 3.5)."""
    graph, _ = folded(
        """g (float[N, 1, 4, 4] x) => (float[N, 2, 4, 4] y)
        <float[2] g = {2, 2}, float[2] b = {3, 3}, float[2] m = {0, 0}, float[2] v = {16, 16},
         float[2] bias = {1, 2}>
        { z = Conv(x, w, bias)  y = BatchNormalization<epsilon = 0.0>(z, g, b, m, v) }""",
        KERNEL,
    )
    conv = graph.nodes[0]

    assert [2.5, 3.5] == conv.inputs[1].values.ravel().tolist()
    assert [3.5, 4.0] == conv.inputs[2].values.tolist()
    assert ["w", "bias"] == [tensor.name for tensor in conv.inputs[1:]]


def random(rng, *shape):
    return rng.normal(size=shape).astype(np.float32)


LAYERS = {
    "conv": ("Conv(x, w, c)", (6, 4, 3, 3), 6, (2, 4, 8, 8)),
    "conv without bias": ("Conv<pads = [1, 1, 1, 1]>(x, w)", (6, 4, 3, 3), 6, (2, 4, 8, 8)),
    "grouped conv": ("Conv<group = 2>(x, w, c)", (6, 2, 3, 3), 6, (2, 4, 8, 8)),
    "depthwise conv": ("Conv<group = 4>(x, w, c)", (8, 1, 3, 3), 8, (2, 4, 8, 8)),
    "1-D conv": ("Conv(x, w, c)", (6, 4, 3), 6, (2, 4, 8)),
    "3-D conv": ("Conv(x, w, c)", (6, 4, 2, 2, 2), 6, (2, 4, 4, 4, 4)),
    "transposed conv": ("ConvTranspose(x, w, c)", (4, 6, 3, 3), 6, (2, 4, 8, 8)),
    "grouped transposed conv": ("ConvTranspose<group = 2>(x, w)", (4, 3, 3, 3), 6, (2, 4, 8, 8)),
    "gemm": ("Gemm(x, w, c)", (4, 6), 6, (2, 4)),
    "gemm, transposed": ("Gemm<transB = 1>(x, w, c)", (6, 4), 6, (2, 4)),
    "gemm, alpha and beta": ("Gemm<alpha = 0.5, beta = 3.0>(x, w, c)", (4, 6), 6, (2, 4)),
    "gemm without bias": ("Gemm<beta = 3.0>(x, w)", (4, 6), 6, (2, 4)),
}


@pytest.mark.parametrize("layer", LAYERS)
def test_results_stay_the_same(layer):
    """Every layer, group and layout computes what it computed before."""
    op, shape, channels, size = LAYERS[layer]
    rng = np.random.default_rng(7)
    weights = {
        "w": random(rng, *shape),
        "c": random(rng, channels),
        "g": random(rng, channels),
        "b": random(rng, channels),
        "m": random(rng, channels),
        "v": rng.uniform(0.1, 4, channels).astype(np.float32),
    }
    text = f"""g (float[{",".join(map(str, size))}] x) => (float y)
        {{ z = {op}  y = BatchNormalization(z, g, b, m, v) }}"""
    model = model_of(text, weights)
    model.graph.output[0].type.tensor_type.ClearField("shape")
    x = {"x": random(rng, *size)}
    before = outputs_of(model, x)["y"]
    graph = gs.import_onnx(model)
    FOLD.apply(graph)
    after = outputs_of(gs.export_onnx(graph.cleanup()), x)["y"]

    assert 1 == len(graph.nodes)
    np.testing.assert_allclose(after, before, rtol=1e-4, atol=1e-5)


def test_two_in_a_row_are_both_folded():
    """The second follows the layer once the first is gone."""
    graph, _ = folded(
        f"""g (float[N, 1, 4, 4] x) => (float[N, 2, 4, 4] y) {NORM} {{ z = Conv(x, w)
        p = BatchNormalization(z, g, b, m, v)  y = BatchNormalization(p, g, b, m, v) }}""",
        KERNEL,
    )

    assert ["Conv"] == [node.op for node in graph.nodes]


def test_shared_weights_are_not_touched():
    """The other reader of a weight keeps the old one; this one gets its own."""
    graph, _ = folded(
        """g (float[N, 1, 4, 4] x) => (float[N, 2, 4, 4] y, float[N, 2, 4, 4] u)
        <float[2] g = {2, 2}, float[2] b = {3, 3}, float[2] m = {0, 0}, float[2] v = {1, 1}>
        { [c] z = Conv(x, w)  y = BatchNormalization<epsilon = 0.0>(z, g, b, m, v)
          u = Conv(x, w) }""",
        KERNEL,
    )
    mine, other = graph.nodes

    assert [10, 14] == mine.inputs[1].values.ravel().tolist()
    assert [5, 7] == other.inputs[1].values.ravel().tolist()
    assert ("c_weight", "w") == (mine.inputs[1].name, other.inputs[1].name)


def test_the_new_bias_is_called_like_the_weight():
    """`stem.conv.weight` gets `stem.conv.bias`."""
    graph = graph_of(
        f"""g (float[N, 1, 4, 4] x) => (float[N, 2, 4, 4] y) {NORM}
        {{ z = Conv(x, w)  y = BatchNormalization(z, g, b, m, v) }}""",
        KERNEL,
    )
    graph.nodes[0].inputs[1].name = "stem.conv.weight"
    FOLD.apply(graph)

    assert "stem.conv.bias" == graph.nodes[0].inputs[2].name


CONV = "(float[N, 1, 4, 4] x) => (float[N, 2, 4, 4] y)"
STAYS = {
    "it does not follow": f"""g (float[N, 2, 4, 4] x) => (float[N, 2, 4, 4] y) {NORM}
        {{ z = Relu(x)  y = BatchNormalization(z, g, b, m, v) }}""",
    "the output of c has other readers": f"""g {CONV} {NORM}
        {{ [c] z = Conv(x, w)  p = BatchNormalization(z, g, b, m, v)  y = Add(p, z) }}""",
    "the output of c has other": f"""g {CONV.replace("y)", "y, float[N, 2, 4, 4] z)")} {NORM}
        {{ [c] z = Conv(x, w)  y = BatchNormalization(z, g, b, m, v) }}""",
    "its parameters are not constant": f"""g {CONV.replace("x)", "x, float[2] g)")}
        {NORM.replace("float[2] g = {2, 3},", "")}
        {{ z = Conv(x, w)  y = BatchNormalization(z, g, b, m, v) }}""",
    "the weights of c are not constant": f"""g {CONV.replace("x)", "x, float[2] k)")} {NORM}
        {{ [c] z = Conv(x, w, k)  y = BatchNormalization(z, g, b, m, v) }}""",
    "it is in training mode": f"""g {CONV} {NORM}
        {{ z = Conv(x, w)  y, p, q = BatchNormalization<training_mode = 1>(z, g, b, m, v) }}""",
    "its variance is not positive": f"""g {CONV} {NORM.replace("{4, 9}", "{4, -9}")}
        {{ z = Conv(x, w)  y = BatchNormalization(z, g, b, m, v) }}""",
    "would overflow float32": f"""g {CONV}
        {NORM.replace("{2, 3}", "{3e38, 3}").replace("{4, 9}", "{0.001, 9}")}
        {{ z = Conv(x, w)  y = BatchNormalization(z, g, b, m, v) }}""",
}


@pytest.mark.parametrize("reason", STAYS)
def test_what_stays_says_why(reason):
    """In the account, and in a remark for the report: it costs speed."""
    needs_weight = "Conv" in STAYS[reason]
    graph, account = folded(STAYS[reason], KERNEL if needs_weight else None)

    assert [] == account.changes
    assert reason in account.reasons[0]
    assert "1 batch norms stay: " in account.remarks[0]
    assert "BatchNormalization" in [node.op for node in graph.nodes]
