"""Models with seeded weights, and ranges for them."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import numpy as np
import onnx

from tests.helpers.models import model_of, outputs_of
from trtbuild.core.values import Range, Ranges
from trtbuild.quant.placing.policy import list_candidates

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    """Return standard normal float32 values."""
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def seeded(text: str, **shapes: Sequence[int]) -> onnx.ModelProto:
    """Parse a model and give it the weights named, of variance 1 / fan-in."""
    weights = {}
    for seed, (name, shape) in enumerate(shapes.items()):
        fan_in = max(1, int(np.prod(shape)) // max(1, *shape))
        weights[name] = normal(*shape, seed=seed) / np.float32(np.sqrt(fan_in))
    return model_of(text, weights)


def values_of(model: onnx.ModelProto, feed: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Run a model and return every candidate's values, and its outputs'."""
    watched = copy.deepcopy(model)
    known = {*feed, *(output.name for output in model.graph.output)}
    for name in list_candidates(model):
        if name not in known:
            watched.graph.output.append(onnx.helper.make_empty_tensor_value_info(name))
    return {**feed, **outputs_of(watched, feed)}


def observed(model: onnx.ModelProto, feed: Mapping[str, np.ndarray]) -> Ranges:
    """Return the least and greatest value of every candidate on one feed."""
    values = values_of(model, feed)
    return Ranges(
        tensors={
            name: Range(
                low=float(values[name].min()),
                high=float(values[name].max()),
                origin="calibrated",
                calibrator="minmax",
            )
            for name in list_candidates(model)
        }
    )


def ranges_of(**limits: float) -> Ranges:
    """Return ranges -limit..limit."""
    return Ranges(
        tensors={
            name: Range(low=-limit, high=limit, origin="calibrated")
            for name, limit in limits.items()
        }
    )


def sqnr_db(signal: np.ndarray, other: np.ndarray) -> float:
    """Return the signal's power over the difference's, in dB."""
    if np.array_equal(signal, other):
        return float("inf")
    noise = np.square(signal.astype(np.float64) - other).sum()
    return float(10 * np.log10(np.square(signal.astype(np.float64)).sum() / noise))
