"""Models with Q/DQ pairs on a layer's operands, well placed or not."""

from __future__ import annotations

import numpy as np
import onnx

from tests.helpers.models import model_of

SCALE = np.float32(0.05)


def layer(
    op: str = "Conv",
    *,
    x: str = "1, 8, 8, 8",
    w: tuple[int, ...] = (8, 8, 3, 3),
    axis: int = 0,
    attributes: str = "",
    x_scale: np.ndarray | np.float32 = SCALE,
    w_scale: np.ndarray | np.float32 | None = None,
    pairs: str = "xw",
) -> onnx.ModelProto:
    """Return `y = op(x, w)`, the node called `layer`, with pairs on the operands in `pairs`.

    The weight's scales lie along `axis` unless `w_scale` is given.
    """
    scales = np.full(w[axis], 0.01, np.float32) if w_scale is None else w_scale
    along = f"<axis = {axis}>" if scales.shape else ""
    text = f"""
        tiny (float[{x}] x) => (float[{", ".join("abcd"[: len(x.split(","))])}] y) {{
            {pair("x", "") if "x" in pairs else ""}
            {pair("w", along) if "w" in pairs else ""}
            [layer] y = {op}{f"<{attributes}>" if attributes else ""}
                ({"x_dq" if "x" in pairs else "x"}, {"w_dq" if "w" in pairs else "w"})
        }}"""
    constants = {"w": random(*w), "x_scale": x_scale, "x_zero": zeros(x_scale)}
    constants |= {"w_scale": scales, "w_zero": zeros(scales)}
    used = {name: constants[name] for name in constants if name == "w" or name[0] in pairs}
    return model_of(text, used)


def relu_gemm() -> onnx.ModelProto:
    """Return a float `y = Gemm(Relu(x))`, its nodes called `act` and `fc`."""
    text = (
        """net (float[2, 4] x) => (float[2, 3] y) { [act] a = Relu(x)  [fc] y = Gemm(a, w, b) }"""
    )
    return model_of(text, {"w": random(4, 3), "b": random(3)})


def pair(tensor: str, attributes: str = "") -> str:
    """Return a Q/DQ pair as text; it reads `<tensor>_scale` and `<tensor>_zero`."""
    return f"""
        [{tensor}_quantize] {tensor}_q =
            QuantizeLinear{attributes}({tensor}, {tensor}_scale, {tensor}_zero)
        [{tensor}_dequantize] {tensor}_dq =
            DequantizeLinear{attributes}({tensor}_q, {tensor}_scale, {tensor}_zero)"""


def zeros(scale: np.ndarray | np.float32) -> np.ndarray:
    """Return the zero points beside a scale."""
    return np.zeros(np.shape(scale), np.int8)


def random(*shape: int) -> np.ndarray:
    """Return small weights, the same every time."""
    return np.random.default_rng(0).normal(0, 0.1, shape).astype(np.float32)
