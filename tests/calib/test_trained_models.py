"""What calibrators do to models that were trained: the shipped digits models."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from pydantic import TypeAdapter

from calib_data.digits import load
from trtbuild.calib.collect import collect_histograms
from trtbuild.calib.histogram import Histogram
from trtbuild.calib.kinds import Calibrator
from trtbuild.calib.observe import observing
from trtbuild.calib.ranges import ranges_from_histograms
from trtbuild.core.values import Ranges
from trtbuild.fixes import Fix
from trtbuild.fixes.apply import apply_fixes
from trtbuild.quant.apply import quantize_model
from trtbuild.quant.placing.policy import list_candidates
from trtbuild.sources import ModelSource

RECIPES = Path("recipes").absolute()
MODELS = {"cnn": "digits", "mlp": "digits_mlp", "vit": "digits_vit"}
FIXES = ("fold_constants", "drop_identity", "fold_batchnorm")
KINDS = ("entropy2", "entropy", "percentile", "mse", "auto", "legacy")


@dataclass
class Sample:
    """An image to calibrate with."""

    name: str
    arrays: dict


@functools.cache
def exported(name):
    """Return a trained model as ONNX bytes, its batch norms folded."""
    source = {
        "kind": "torch",
        "exporter": "torchscript",  # what is measured is what calibration makes of a model
        "entrypoint": f"models/{MODELS[name]}.py:digits_{name}",
        "weights": {"path": f"models/{MODELS[name]}.safetensors"},
        "inputs": {"input": {"shape": ["batch", 1, 8, 8]}},
    }
    weights = RECIPES / f"models/{MODELS[name]}.safetensors"
    model = TypeAdapter(ModelSource).validate_json(json.dumps(source))
    made = model.bring_in(RECIPES, weights, model.sizes([], {})).model
    fixes = [TypeAdapter(Fix).validate_python({"kind": kind}) for kind in FIXES]
    return apply_fixes(made, fixes)[0].SerializeToString()


@functools.cache
def histograms_of(name):
    """Return what the calibration images show."""
    model = onnx.ModelProto.FromString(exported(name))
    samples = [Sample(str(i), {"input": image}) for i, image in enumerate(load("calib")[0])]
    with observing(model, list_candidates(model), folder=RECIPES) as (observer, feeder):
        histograms = {tensor: Histogram() for tensor in observer.tensors}
        feeds = feeder.feeds(samples)
        collect_histograms(observer, feeds, histograms, progress=lambda _: None)
    return histograms


@functools.cache
def top1(name, kind):
    """Return the percentage of the evaluation images that the INT8 model reads correctly."""
    histograms = histograms_of(name)
    calibrator = TypeAdapter(Calibrator).validate_python({"kind": kind})
    ranges: Ranges = ranges_from_histograms(
        histograms, dict.fromkeys(histograms, calibrator), samples=100
    )
    model = quantize_model(onnx.ModelProto.FromString(exported(name)), ranges=ranges).model
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    images, labels = load("eval")
    (logits,) = session.run(None, {"input": images})
    return 100 * float(np.mean(logits.argmax(1) == labels))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", MODELS)
def test_clipping_costs_at_most_half_a_point(name, kind):
    """No kind is more than half a point of top-1 below keeping the whole range."""
    assert top1(name, kind) >= top1(name, "minmax") - 0.5
