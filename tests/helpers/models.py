"""ONNX models as text: ten readable lines beat fifty of node building."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import onnx.checker
import onnx.parser

from trtbuild.model.plugins import set_apart

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import onnx_graphsurgeon as gs

HEADER = '<ir_version: 8, opset_import: ["" : 17]>\n'


def model_of(text: str, weights: Mapping[str, np.ndarray] | None = None) -> onnx.ModelProto:
    """Parse a model, header (`<ir_version: 8, opset_import: ["" : 17]>`) optional; add weights.

    `weights` become initializers: arrays too long to write down. The result is checker-clean.
    """
    model = onnx.parser.parse_model(text if text.lstrip().startswith("<") else HEADER + text)
    for name, values in (weights or {}).items():
        model.graph.initializer.append(onnx.numpy_helper.from_array(values, name))
    with set_apart(model):
        onnx.checker.check_model(model)
    return model


def graph_of(text: str, weights: Mapping[str, np.ndarray] | None = None) -> gs.Graph:
    """Parse a model, infer its shapes and import it into ONNX-GraphSurgeon."""
    import onnx_graphsurgeon as gs

    return gs.import_onnx(onnx.shape_inference.infer_shapes(model_of(text, weights)))


def outputs_of(
    model: onnx.ModelProto | Path, feed: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Run a model once in ONNX Runtime, without its own optimizations."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    source: Any = model.SerializeToString() if isinstance(model, onnx.ModelProto) else str(model)
    session = ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, dict(feed)), strict=True))


def convolutions() -> onnx.ModelProto:
    """Two convolutions and a matrix product with seeded weights, from `x` by `c`, `a`, `b`, `f`."""
    rng = np.random.default_rng(3)
    shapes = {"w1": (24, 3, 3, 3), "w2": (17, 24, 3, 3), "w3": (17 * 81, 10)}
    return model_of(
        """
        net (float[N, 3, 20, 20] x) => (float[N, 10] y) {
            c = Conv<pads=[1, 1, 1, 1]>(x, w1)
            a = Relu(c)
            b = Conv<strides=[2, 2]>(a, w2)
            f = Flatten(b)
            y = MatMul(f, w3)
        }
        """,
        {name: rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()},
    )
