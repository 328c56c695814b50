"""ONNX Runtime: the reference runner; as a target, the Q/DQ model itself."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Literal

from trtbuild.backends.base import (
    BuildOrder,
    BuildResult,
    BuiltEngine,
    Capabilities,
    Fit,
    Guarantee,
)
from trtbuild.core.errors import StepInputError
from trtbuild.core.files import copy_whole
from trtbuild.core.needs import Needs
from trtbuild.core.options import Options
from trtbuild.core.quantized_types import TYPES
from trtbuild.core.records import LayerPrecision, RequestedLayer
from trtbuild.core.values import TensorSpec

__all__ = ["FLOAT", "INTEGER", "Onnxruntime"]

INTEGER = frozenset(
    {"QLinearConv", "QLinearMatMul", "QGemm", "MatMulIntegerToFloat", "MatMulInteger"}
)
FLOAT = frozenset(
    {"Conv", "FusedConv", "ConvTranspose", "Gemm", "FusedGemm", "MatMul", "FusedMatMul"}
)


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

    def built_for(self) -> tuple[str, ...]:
        """Name what an engine of this target is for."""
        return ("cpu",)

    @classmethod
    def judge_fit(cls, engine: BuiltEngine, facts: Mapping[str, str]) -> Fit:  # noqa: ARG003
        """Say that it fits: a model is for any machine."""
        return Fit("yes", "it is an ONNX model")

    def needs(self) -> Needs:
        """Need ONNX Runtime's Python alone."""
        return Needs(kind=self.kind)

    def guarantee(self, inputs: Sequence[TensorSpec]) -> Guarantee:  # noqa: ARG002  # any will do
        """Promise the same bytes: they are the model's."""
        return Guarantee(2, "it is the model itself")

    def build(self, order: BuildOrder) -> BuildResult:
        """Load the model, copy it, and read back which kernels ONNX Runtime chose.

        Raises:
            StepInputError: ONNX Runtime cannot load the model, or has no operator for a node of it.
        """
        from trtbuild.backends.model import OnnxModel
        from trtbuild.model.providers import CPU, list_names

        read = OnnxModel.read(order.model)
        if read.split:
            raise StepInputError(
                "the model is over 2 GB, with its weights in a file of their own; an engine is one",
                hint="leave this target out: ONNX Runtime runs the model that `apply` leaves, with "
                "its weights beside it",
            )
        _refuse_plugins(order.model)
        with tempfile.TemporaryDirectory() as folder:
            chosen = _read_operators(order.model, Path(folder) / "optimized.onnx")
        copy_whole(order.model, order.engine)
        order.progress(1, 1, "models")
        return BuildResult(
            inputs=read.inputs,
            outputs=read.outputs,
            options={"provider": list_names(CPU)[0], "graph_optimization_level": "EXTENDED"},
            layers=tuple(_read_layer(layer, chosen) for layer in order.requested),
        )


def _refuse_plugins(model: Path) -> None:
    from trtbuild.model.onnx_file import load_bare
    from trtbuild.model.plugins import describe_plugin, find_plugins

    if plugins := find_plugins(load_bare(model).graph.node):
        raise StepInputError(
            f"ONNX Runtime cannot run {describe_plugin(plugins[0])}, which is taken for a plugin "
            "of TensorRT",
            hint="leave this target out: what stands in front of the plugin is compared without it",
        )


def _read_operators(model: Path, path: Path) -> dict[str, str]:
    """Return the operator of each node that ONNX Runtime makes of a model, and writes to a file.

    A fused node's name holds that of its Conv or Gemm.
    """
    from trtbuild.model.onnx_file import load_bare
    from trtbuild.model.session import write_optimized

    write_optimized(model, path)
    return {
        node.name.partition("_token_")[0].removeprefix("fused "): node.op_type
        for node in load_bare(path).graph.node
        if node.name
    }


def _read_layer(layer: RequestedLayer, chosen: Mapping[str, str]) -> LayerPrecision:
    operator = chosen.get(layer.name, "")
    cause = ""
    if operator in INTEGER:
        delivered = "int8"
    elif operator in FLOAT:
        delivered = "fp32" if layer.precision in TYPES else layer.precision
        if layer.precision in TYPES:
            cause = "ONNX Runtime has no fusion for it here and computes its Q/DQ pairs in float"
    else:
        delivered = "unknown"
        cause = "it is not in ONNX Runtime's graph under this name"
    return LayerPrecision(
        name=layer.name, op=layer.op, asked=layer.precision, delivered=delivered, cause=cause
    )
