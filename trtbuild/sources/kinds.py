"""The kinds of sources, and what they are described by."""

from __future__ import annotations

from trtbuild.sources.inputs import InputSpec
from trtbuild.sources.onnx import Onnx
from trtbuild.sources.torch import Torch
from trtbuild.sources.weights_place import Weights

__all__ = ["InputSpec", "Onnx", "Torch", "Weights"]
