"""A recipe that uses every section, as text to load or to spoil; and one of a single target."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

GOOD = """\
version: 1
name: tiny-int8
model:
  kind: torch
  entrypoint: models/tiny.py:tiny
  options: {width: 0.5, deep: true, kind: fast}
  weights:
    url: https://example.org/tiny.pth
    sha256: 0676ba61b6795bbe1773cffd859882e5e297624d384b6993f7c9e683e722fb8a
  without_weights: seeded
  inputs:
    input: {dtype: float32, shape: [batch, 3, 32, 32]}
fixes:
  - {kind: fold_constants}
  - {kind: set_dimension, tensor: input, axis: 0, size: batch}
data:
  calib:
    kind: images
    path: photos
    count: 64
    preprocess: {resize: 40, crop: [32, 32], mean: [0.5, 0.5, 0.5], std: [0.2, 0.2, 0.2]}
  eval: {kind: arrays, path: eval.npz, labels: label}
quantization:
  mode: explicit
  data: calib
  calibrator:
    kind: percentile
    percentile: 99.99
  ranges:
    input: [-2.2, 2.7]
    "*/layer4/*": 6.0
    "495": 1e1
  skip: ["*/fc/*"]
profiles:
  - input: {min: [1, 3, 32, 32], opt: [8, 3, 32, 32], max: [32, 3, 32, 32]}
targets:
  rtx: {kind: tensorrt_rtx, compute_capabilities: [8.6, 8.9, 12.0], workspace: 4GiB}
  reference: {kind: onnxruntime}
compare:
  data: eval
  metrics: [cosine, sqnr_db, top1_agreement, top1]
  gates:
    - {metric: sqnr_db, at_least: 20}
    - {metric: top1, drop_at_most: 1%}
"""


def one_target(target: Mapping[str, Any], more: str = "") -> str:
    """Return a recipe of `m.onnx` for the target `it`, with more sections as text."""
    return f"""\
version: 1
name: small
model: {{kind: onnx, path: m.onnx}}
{more}
targets:
  it: {json.dumps(target)}
"""
