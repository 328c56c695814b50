"""Run a model over data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from trtbuild.steps.base import Context, Ref, Step
from trtbuild.steps.capture_data import DataInput

__all__ = ["Infer"]


class Infer(Step):
    """Run a model over every sample and keep its outputs, one array an output."""

    version: ClassVar[int] = 1
    outputs: ClassVar[Mapping[str, str]] = {"outputs": "outputs.npz"}

    kind: Literal["infer"] = "infer"
    model: Ref
    data: DataInput

    def run(self, context: Context) -> None:
        """Write outputs.npz."""
        raise NotImplementedError
