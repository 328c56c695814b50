"""Build one target's engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from trtbuild.backends import Target
from trtbuild.steps.base import Context, Ref, Step

__all__ = ["BuildEngine"]


class BuildEngine(Step):
    """Build the engine, then read back what was delivered."""

    version: ClassVar[int] = 1
    outputs: ClassVar[Mapping[str, str]] = {"engine": "model.engine", "result": "engine.json"}

    kind: Literal["build_engine"] = "build_engine"
    target: str
    backend: Target
    model: Ref
    account: Ref | None = None
    """quantization.json: the precision asked for, layer by layer; None asks for fp32 throughout."""
    profiles: tuple[dict[str, tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]], ...] = ()

    def run(self, context: Context) -> None:
        """Write model.engine and engine.json (core.records.TargetResult)."""
        raise NotImplementedError
