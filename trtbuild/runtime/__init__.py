"""Run what was built, in a program of your own: one interface over TensorRT and ONNX Runtime.

from trtbuild.runtime import Engine

with Engine("resnet50.zip") as engine:  # or an engine, or an ONNX model
    outputs = engine.run({"input": batch})
"""

from trtbuild.runtime.batcher import Batcher
from trtbuild.runtime.engine import Engine

__all__ = ["Batcher", "Engine"]
