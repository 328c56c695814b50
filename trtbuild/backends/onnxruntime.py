"""ONNX Runtime: the reference runner; as a target, the Q/DQ model itself."""

from __future__ import annotations

from typing import ClassVar, Literal

from trtbuild.backends.base import Capabilities
from trtbuild.core.options import Options

__all__ = ["Onnxruntime"]


class Onnxruntime(Options):
    """The Q/DQ model itself, loaded once by ONNX Runtime to prove that it runs."""

    capabilities: ClassVar[Capabilities] = Capabilities(
        modes=("explicit",),
        native_calibrators=(),
        typing=(),
        runs_without_gpu=True,
        packages=("onnxruntime",),
        install="pip install onnxruntime",
    )

    kind: Literal["onnxruntime"]
