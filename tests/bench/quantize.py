"""Time of quantizing a model of 100 MB, loading and saving apart.

Run it with `python -m tests.bench.quantize --megabytes 100`.
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np
import onnx

from tests.helpers.quant import ranges_of
from trtbuild.quant.apply import quantize_model
from trtbuild.quant.half.convert import HalfSettings, Peaks
from trtbuild.quant.placing.policy import list_candidates
from trtbuild.quant.writing.weights import WeightsMse

WIDTH = 1024


def stack(megabytes):
    """Return MatMuls of 4 MiB each, one after the other."""
    layers = megabytes // 4
    rng = np.random.default_rng(0)
    nodes, weights = [], []
    for index in range(layers):
        values = rng.standard_normal((WIDTH, WIDTH), np.float32) / np.float32(32)
        weights.append(onnx.numpy_helper.from_array(values, f"w{index}"))
        nodes.append(onnx.helper.make_node("MatMul", [f"a{index}", f"w{index}"], [f"a{index + 1}"]))
    kind = onnx.helper.make_tensor_value_info
    ends = [kind(name, 1, ["n", WIDTH]) for name in ("a0", f"a{layers}")]
    graph = onnx.helper.make_graph(nodes, "stack", ends[:1], ends[1:], weights)
    return onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid("", 19)], ir_version=10
    )


def main():
    """Print the seconds of each way."""
    parser = argparse.ArgumentParser(description="Seconds that quantizing takes.")
    parser.add_argument("--megabytes", type=int, default=100)
    data = stack(parser.parse_args().megabytes).SerializeToString()
    ways = {
        "absmax": {},
        "absmax, the rest fp16": {"high": HalfSettings("fp16", Peaks(tensors={"a0": 1.0}).tensors)},
        "mse": {"scaling": WeightsMse(kind="mse")},
    }
    for name, options in ways.items():
        model = onnx.ModelProto.FromString(data)
        ranges = ranges_of(**dict.fromkeys(list_candidates(model), 4.0))
        begin = time.perf_counter()
        quantize_model(model, ranges=ranges, **options)
        sys.stdout.write(f"{name:24} {time.perf_counter() - begin:6.2f} s\n")


if __name__ == "__main__":
    main()
