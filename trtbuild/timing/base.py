"""What is timed, what runs it, and what every runner must do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from trtbuild.core.frozen import frozen

if TYPE_CHECKING:
    import numpy as np

    from trtbuild.core.values import TensorSpec
    from trtbuild.timing.layers.join import ProfiledLayer

__all__ = [
    "Arrays",
    "MadeModule",
    "OpenRunner",
    "RunnerKind",
    "Setting",
    "SubjectSort",
    "TimedModel",
    "name_variant",
]

SubjectSort = Literal["onnx", "module", "engine"]
Arrays = Mapping[str, "np.ndarray"]


@frozen
class MadeModule:
    """A `torch.nn.Module`, and how it is called."""

    module: Any
    inputs: tuple[TensorSpec, ...]
    order: tuple[str, ...]
    """Its inputs, as they are given."""
    keywords: tuple[str, ...] = ()
    """Their names, where they go by name."""
    notes: tuple[str, ...] = ()


@frozen
class TimedModel:
    """A model or engine that is to be timed."""

    name: str
    """`fp32`, `int8`, `source`, a target's name, a file's."""
    sort: SubjectSort
    path: Path
    """The ONNX model, or the engine; of a module, the folder that its entrypoint relates to."""
    plugins: tuple[Path, ...] = ()
    flavour: str = ""
    """Which TensorRT an engine is of."""
    make: Callable[[], MadeModule] | None = None
    """Of a module: makes it."""
    why_not: str = ""
    """Why it cannot be run as what it is."""
    built_from: Path | None = None
    """Of an engine: the ONNX model, where that is known."""


@frozen
class Setting:
    """What of the protocol a runner itself must know."""

    threads: int
    """Never 0: how many compute one operator."""
    cuda_graphs: bool = False
    tried: bool = False
    """Whether it is known that what records them survives: else it is tried out first."""


class OpenRunner(Protocol):
    """A model that is loaded, ready to be called again and again on the same inputs."""

    @property
    def inputs(self) -> Sequence[TensorSpec]:
        """What it takes."""

    @property
    def has_transfers(self) -> bool:
        """Tell whether inputs and outputs are copied between host and device."""

    @property
    def has_events(self) -> bool:
        """Tell whether the device's own clock can be read."""

    def feed(self, arrays: Arrays) -> None:
        """Put inputs where the model computes, and run once: memory is taken, kernels are chosen.

        Shapes may differ from those before.

        Raises:
            StepInputError: it does not take them.
        """

    def call(self) -> None:
        """Run once on the inputs that are there; return when the outputs are there, too."""

    def call_whole(self) -> None:
        """Do the same, from the host's arrays to arrays on the host."""

    def read_events_ms(self) -> float:
        """Return the time of the last call between events on the device, in ms."""

    def outputs(self) -> Mapping[str, np.ndarray]:
        """Return the outputs of the last call, on the host."""

    def fork(self) -> OpenRunner:
        """Return another caller of the same weights, with memory and a stream of its own."""

    def peak_bytes(self) -> int | None:
        """Return what the library says that it took of the GPU at most; None where it does not."""

    def close(self) -> None:
        """Give everything back."""


class RunnerKind(Protocol):
    """A kind of runner: its options are fields."""

    @classmethod
    def usual(cls) -> Sequence[RunnerKind]:
        """Return those that are tried where nobody says which."""

    def takes(self, subject: TimedModel) -> bool:
        """Tell whether it is for subjects of this sort at all."""

    def label(self) -> str:
        """Name it, as results do: `onnxruntime-cpu`."""

    def place(self) -> Literal["cpu", "gpu"]:
        """Say on what it computes, here."""

    def find_hindrance(self, subject: TimedModel, setting: Setting) -> str:
        """Say why it cannot run a subject here; nothing where it is worth trying."""

    def libraries(self) -> Mapping[str, str]:
        """Return the versions of what runs it, by name."""

    def load_library(self) -> None:
        """Import what it needs: the first of what a cold start pays for.

        Raises:
            MissingDependency: it is not installed.
        """

    def open(self, subject: TimedModel, setting: Setting) -> OpenRunner:
        """Load a subject.

        Raises:
            TrtbuildError: it does not load.
        """

    def profile(
        self, subject: TimedModel, setting: Setting, opened: Any, arrays: Arrays, calls: int
    ) -> Sequence[ProfiledLayer]:
        """Call a model that is fed so often with a profiler on; return what each layer took.

        Raises:
            TrtbuildError: it does not run so, or does not tell layers apart: says why.
        """

    def describe(self, subject: TimedModel, opened: Any) -> tuple[str, tuple[str, ...]]:
        """Say what it computes in, as far as that is known, and what a reader should know."""


def name_variant(subject: str, runner: str) -> str:
    """Name a model and what runs it: `int8/onnxruntime-cpu`."""
    return f"{subject}/{runner}"
