"""What static checks find in a model before anything is built of it."""

from typing import Literal

from trtbuild.core.options import Options

__all__ = ["Coverage", "ModelChecks", "RuleFault"]


class RuleFault(Options):
    """A static rule that a model breaks: found before anything is built."""

    code: str
    """`TB101`, ...: it names the rule in recipes and in the documentation."""
    level: Literal["error", "warning"]
    """An error stops the build; a warning is shown with its result."""
    nodes: tuple[str, ...]
    """What it is about: nodes, or tensors where the rule is about ranges; in graph order."""
    reason: str
    hint: str = ""
    """The next move."""
    off: str = ""
    """Why the recipe turns the rule off; empty where it counts."""


class Coverage(Options):
    """How much of a model's work INT8 does, and how it lies in the model."""

    target: str
    quantized_to: str = "INT8"
    """The quantized types that are asked for."""
    layers: int
    """Weighted layers: Conv, ConvTranspose, Gemm and MatMul, those in bodies not counted."""
    macs: int
    """Their multiply-accumulates for one run, at the opt shapes."""
    asked_macs: int
    """Those of them asked for in INT8."""
    delivered_macs: int | None = None
    """Those of them delivered in INT8; None where no engine was built."""
    unknown_macs: int = 0
    """Those asked for in INT8 of which the engine does not tell."""
    islands: int
    """Groups of INT8 layers with nothing but fused operators between them."""
    float_edges: tuple[str, ...] = ()
    """Tensors made in float between INT8 layers."""


class ModelChecks(Options):
    """`checks.json`: which static rules a target's model breaks, and the INT8 asked of it."""

    faults: tuple[RuleFault, ...]
    coverage: Coverage
    macs: dict[str, int]
    """Multiply-accumulates by weighted layer."""
