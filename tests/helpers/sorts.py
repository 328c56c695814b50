"""Ten small models of ten sorts, as people bring them: named, with open sizes, untrained."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx

from tests.helpers.models import model_of

if TYPE_CHECKING:
    from pathlib import Path

CNN = """net (float[batch, 3, 32, 32] image) => (float[batch, 10] logits) {
  c = Conv<pads=[1, 1, 1, 1], strides=[2, 2]>(image, w1)  r = Relu(c)
  d = Conv<pads=[1, 1, 1, 1]>(r, w2)  e = Relu(d)
  p = GlobalAveragePool(e)  f = Flatten(p)  logits = Gemm(f, w3)
}"""
DETECTOR = """net (float[n, 3, h, w] images) => (
  float[n, 18, h8, w8] p3, float[n, 18, h16, w16] p4, float[n, 18, h32, w32] p5
) {
  c1 = Conv<pads=[1, 1, 1, 1], strides=[4, 4]>(images, w1)  r1 = Relu(c1)
  c2 = Conv<pads=[1, 1, 1, 1], strides=[2, 2]>(r1, w2)  r2 = Relu(c2)
  c3 = Conv<pads=[1, 1, 1, 1], strides=[2, 2]>(r2, w3)  r3 = Relu(c3)
  c4 = Conv<pads=[1, 1, 1, 1], strides=[2, 2]>(r3, w3)  r4 = Relu(c4)
  p3 = Conv(r2, head)  p4 = Conv(r3, head)  p5 = Conv(r4, head)
}"""
ATTENTION = """
  q = MatMul(x, wq)  k = MatMul(x, wk)  v = MatMul(x, wv)
  kt = Transpose<perm=[0, 2, 1]>(k)  s = MatMul(q, kt)  sc = Mul(s, shrink)
"""
VIT = f"""net (float[batch, 3, 224, 224] pixel_values) => (float[batch, 5] logits)
<float shrink = {{0.25}}, int64[3] flat = {{0, 32, 49}}> {{
  c = Conv<strides=[32, 32]>(pixel_values, wp)  r = Reshape(c, flat)
  t = Transpose<perm=[0, 2, 1]>(r)  x = LayerNormalization<axis=-1>(t, gain, bias)
  {ATTENTION}
  a = Softmax<axis=-1>(sc)  o = MatMul(a, v)  y = Add(o, t)
  m = ReduceMean<axes=[1], keepdims=0>(y)  logits = Gemm(m, wh)
}}"""
BERT = f"""net (
  int64[batch, seq] input_ids, int64[batch, seq] attention_mask, int64[batch, seq] token_type_ids
) => (float[batch, seq, 32] last_hidden_state, float[batch, 32] sentence_embedding)
<float one = {{1.0}}, float big = {{-10000.0}}, float shrink = {{0.2}}, int64[1] first = {{1}},
 int64[1] last = {{-1}}, int64[1] start = {{0}}> {{
  e = Gather(table, input_ids)  t = Gather(types, token_type_ids)  et = Add(e, t)
  sh = Shape(input_ids)  length = Gather(sh, first)
  ps = Slice(places, start, length, start)  x0 = Add(et, ps)
  x = LayerNormalization<axis=-1>(x0, gain, bias)
  mf = Cast<to=1>(attention_mask)  mu = Unsqueeze(mf, first)
  inv = Sub(one, mu)  hidden = Mul(inv, big)
  {ATTENTION}
  sb = Add(sc, hidden)  a = Softmax<axis=-1>(sb)  o = MatMul(a, v)  y = Add(o, x)
  last_hidden_state = LayerNormalization<axis=-1>(y, gain, bias)
  m3 = Unsqueeze(mf, last)  wm = Mul(last_hidden_state, m3)
  sm = ReduceSum<keepdims=0>(wm, first)  sentence_embedding = LpNormalization<axis=-1, p=2>(sm)
}}"""
SUPER = """net (float[n, 3, h, w] lr) => (float[n, 3, h2, w2] sr) {
  c = Conv<pads=[1, 1, 1, 1]>(lr, w1)  r = Relu(c)  d = Conv<pads=[1, 1, 1, 1]>(r, w2)
  sr = DepthToSpace<blocksize=2, mode="CRD">(d)
}"""
AUDIO = """net (float[batch, 1, samples] waveform) => (float[batch, 12] scores) {
  c = Conv<kernel_shape=[80], strides=[16]>(waveform, w1)  r = Relu(c)
  d = Conv<kernel_shape=[3], strides=[4]>(r, w2)  e = Relu(d)
  p = GlobalAveragePool(e)  f = Flatten(p)  scores = Gemm(f, w3)
}"""
RECURRENT = """net (float[seq, batch, 8] x, float[1, batch, 16] h0, float[1, batch, 16] c0) => (
  float[batch, 4] y, float[1, batch, 16] hn, float[1, batch, 16] cn
) <int64[1] first = {0}> {
  o, hn, cn = LSTM<hidden_size=16>(x, w, r, b, , h0, c0)  s = Squeeze(hn, first)  y = Gemm(s, wo)
}"""
TWO = """net (float[batch, 3, 48, 48] left, float[batch, 3, 48, 48] right) => (
  float[batch, 2] same
) {
  a = Conv<pads=[1, 1, 1, 1], strides=[4, 4]>(left, w1)  c = Relu(a)
  b = Conv<pads=[1, 1, 1, 1], strides=[4, 4]>(right, w1)  d = Relu(b)
  e = Concat<axis=1>(c, d)  f = GlobalAveragePool(e)  g = Flatten(f)  same = Gemm(g, w2)
}"""
FIXED = """net (float[4, 1, 28, 28] x) => (float[4, 10] y) {
  c = Conv<pads=[1, 1, 1, 1], strides=[2, 2]>(x, w1)  r = Relu(c)  f = Flatten(r)
  y = MatMul(f, w2)
}"""
SIDE = {"wq": (32, 32), "wk": (32, 32), "wv": (32, 32)}
SORTS: dict[str, tuple[str, dict[str, tuple[int, ...]]]] = {
    "cnn": (CNN, {"w1": (16, 3, 3, 3), "w2": (16, 16, 3, 3), "w3": (16, 10)}),
    "detector": (
        DETECTOR,
        {"w1": (8, 3, 3, 3), "w2": (16, 8, 3, 3), "w3": (16, 16, 3, 3), "head": (18, 16, 1, 1)},
    ),
    "vit": (VIT, {"wp": (32, 3, 32, 32), **SIDE, "wh": (32, 5)}),
    "bert": (BERT, {"table": (1000, 32), "types": (2, 32), "places": (64, 32), **SIDE}),
    "super": (SUPER, {"w1": (16, 3, 3, 3), "w2": (12, 16, 3, 3)}),
    "audio": (AUDIO, {"w1": (16, 1, 80), "w2": (16, 16, 3), "w3": (16, 12)}),
    "lstm": (RECURRENT, {"w": (1, 64, 8), "r": (1, 64, 16), "b": (1, 128), "wo": (16, 4)}),
    "two": (TWO, {"w1": (8, 3, 3, 3), "w2": (16, 2)}),
    "fixed": (FIXED, {"w1": (8, 1, 3, 3), "w2": (8 * 196, 10)}),
    "external": (CNN, {"w1": (16, 3, 3, 3), "w2": (16, 16, 3, 3), "w3": (16, 10)}),
}
"""Text, and shapes of weights; the last one keeps them in a file beside it."""


def sort_of(name: str) -> onnx.ModelProto:
    """Make one, with seeded weights of a size that keeps signals alive."""
    text, shapes = SORTS[name]
    rng = np.random.default_rng(0)
    weights = {
        key: (rng.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))).astype(np.float32)
        for key, shape in shapes.items()
    }
    if "gain" in text:
        weights |= {"gain": np.ones(32, np.float32), "bias": np.zeros(32, np.float32)}
    return model_of(text, weights)


def save_sort(name: str, folder: Path) -> Path:
    """Write one to NAME.onnx."""
    path = folder / f"{name}.onnx"
    if name == "external":
        onnx.save(sort_of(name), path, save_as_external_data=True, location="external.data",
                  size_threshold=0)  # fmt: skip
    else:
        onnx.save(sort_of(name), path)
    return path


def save_pictures(folder: Path, count: int = 8, *, side: int = 40, suffix: str = ".png") -> Path:
    """Write noisy pictures, img_0 and on."""
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for index in range(count):
        pixels = rng.integers(0, 256, (side, side, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"img_{index}{suffix}")
    return folder
