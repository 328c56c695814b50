"""Where a model comes from: an ONNX file, or a PyTorch module from Python code."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from trtbuild.core.options import Location, Options

__all__ = ["InputSpec", "Onnx", "Torch", "Weights"]


class InputSpec(Options):
    """An input of the exported model: its dtype and shape; a text names a dynamic dimension."""

    dtype: Literal["float32", "float16", "int64", "int32", "uint8", "bool"] = "float32"
    shape: tuple[int | str, ...]


class Weights(Options):
    """Weights for a model: a file beside the recipe, or a URL with its digest."""

    path: Location | None = None
    url: Location | None = None
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None


class Onnx(Options):
    """An ONNX file, with or without external data beside it."""

    kind: Literal["onnx"]
    path: Location


class Torch(Options):
    """A PyTorch module made by a Python callable, exported with `torch.onnx.export`."""

    kind: Literal["torch"]
    entrypoint: str
    options: dict[str, int | float | str | bool] = {}
    weights: Weights | None = None
    without_weights: Literal["fail", "seeded"] = "fail"
    seed: int = 0
    inputs: dict[str, InputSpec]
    outputs: tuple[str, ...] = ("output",)
    opset: Annotated[int, Field(ge=13, le=25)] = 20
