"""Backend, Capabilities, Built: what every backend does and can do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

from trtbuild.core.records import LayerPrecision
from trtbuild.core.values import TensorSpec

__all__ = ["Asked", "Backend", "Built", "Capabilities", "Profile", "Progress", "Shapes"]

Shapes = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]
"""min, opt, max."""
Profile = Mapping[str, Shapes]
"""An optimization profile: input → (min, opt, max)."""
Progress = Callable[[int, int, str], None]
"""done, total, unit."""


@dataclass(frozen=True)
class Capabilities:
    """What a backend can do, readable without importing it."""

    modes: tuple[str, ...]
    """Quantization modes: explicit, implicit."""
    native_calibrators: tuple[str, ...]
    typing: tuple[str, ...]
    runs_without_gpu: bool
    """Engines can be built on a machine without a GPU."""
    packages: tuple[str, ...]
    """The facts it needs: installed distributions, by name."""
    install: str
    """The command that installs it."""


@dataclass(frozen=True)
class Asked:
    """The precision asked for of one weighted layer: `int8` or `fp32`, by ONNX node."""

    name: str
    op: str
    precision: str


@dataclass(frozen=True)
class Built:
    """What a build made."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    options: dict[str, str]
    """What was set, in words: flags by name, pools in bytes."""
    layers: tuple[LayerPrecision, ...]
    notes: tuple[str, ...] = ()
    """Warnings of the builder that a reader of the report should see."""


class Backend(Protocol):
    """A target's kind: its options are fields, the build is a method."""

    kind: str
    capabilities: ClassVar[Capabilities]

    def built_for(self) -> tuple[str, ...]:
        """Name the compute capabilities or GPU an engine of this target is for."""

    def build(
        self,
        model: Path,
        engine: Path,
        *,
        profiles: Sequence[Profile],
        asked: Sequence[Asked],
        progress: Progress,
    ) -> Built:
        """Build `model` (ONNX) into `engine`, and read back what was delivered.

        Raises:
            StepInputError: the builder refused the model; quotes its messages.
            MissingDependency: the backend is not installed.
        """
