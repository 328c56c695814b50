"""What every TensorRT shares: its log, its progress, its profiles."""

from __future__ import annotations

import contextlib
import logging
import re
import sys
import threading
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from trtbuild.backends.base import Profile, ReportProgress, ShapeRange
from trtbuild.backends.tensorrt.scratch import ScratchMemory
from trtbuild.core.errors import NoGpu, StepInputError
from trtbuild.core.log_levels import LEAST, USUAL, LogLevel
from trtbuild.core.values import TensorSpec
from trtbuild.model.batching import fits

__all__ = [
    "BuildLog",
    "capture_log",
    "check_profiles",
    "demand_values",
    "make_progress_monitor",
    "refuse_unless_started",
]

INTEGERS = ("int32", "int64")


class BuildLog(logging.Handler):
    """Polygraphy's log and TensorRT's within it: written to the step's log; the worst is kept."""

    def __init__(self, level: LogLevel = USUAL) -> None:
        super().__init__()
        self._least = LEAST[level]
        self.scratch = ScratchMemory()
        self.errors: list[str] = []
        self.warnings: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line down, if the level asks for it; keep it if it is a warning or an error."""
        text = record.getMessage()
        self.scratch.hear(text)
        if record.levelno >= self._least:
            sys.stdout.write(text + "\n")
        kept = self.errors if record.levelno >= logging.ERROR else self.warnings
        message = re.sub(r"^\[[A-Z!]\] ", "", text)
        if record.levelno >= logging.WARNING and message not in kept:
            kept.append(message)


@contextlib.contextmanager
def capture_log(level: LogLevel = USUAL, *, whole: bool = False) -> Iterator[BuildLog]:
    """Take Polygraphy's log while something is built; what is made of it is the same at any level.

    A lower level only has less of it written down. TensorRT's `verbose` is listened to where it
    is asked for, or the `whole` is: there may be much of it.
    """
    from polygraphy.logger import G_LOGGER

    log = BuildLog(level)
    logger = logging.getLogger("Polygraphy")
    before = (G_LOGGER.module_severity, logger.level, logger.propagate)
    G_LOGGER.colors = False
    G_LOGGER.once_logged.clear()  # else a second build in this process loses its warnings
    # One above TensorRT's own: Polygraphy has its `info` as VERBOSE.
    G_LOGGER.module_severity = (
        G_LOGGER.EXTRA_VERBOSE if whole or level == "verbose" else G_LOGGER.VERBOSE
    )
    G_LOGGER.use_python_logging_system = True
    logger.setLevel(1)  # what is more talkative than `verbose` is below DEBUG there
    logger.propagate = False
    logger.addHandler(log)
    try:
        with warnings.catch_warnings():
            # Polygraphy calls what TensorRT deprecates; neither is ours to change.
            warnings.simplefilter("ignore", DeprecationWarning)
            yield log
    finally:
        logger.removeHandler(log)
        G_LOGGER.use_python_logging_system = False
        G_LOGGER.module_severity, old, logger.propagate = before
        logger.setLevel(old)


@contextlib.contextmanager
def refuse_unless_started(name: str, what: str, log: BuildLog) -> Iterator[None]:
    """Say of a `builder` or `runtime` that does not start what it says of the GPU.

    Raises:
        NoGpu: it did not start; quotes the log.
    """
    try:
        yield
    except TypeError as error:
        # pybind11's word for an object that could not be made.
        if "nullptr" not in str(error):
            raise
        said = log.errors[0] if log.errors else "it gives no reason"
        raise NoGpu(
            f"{name} cannot start its {what}: {' '.join(said.split())}",
            hint="it needs an NVIDIA GPU with a driver that fits its CUDA version",
        ) from None


def make_progress_monitor(base: type[Any], progress: ReportProgress) -> Any:
    """Return a monitor (a subclass of TensorRT's IProgressMonitor) that reports in percent.

    A phase is as far as its own steps and the phases within it say. TensorRT swallows what a
    callback raises, so it is kept in `failure`, and the build is told to stop.
    """

    class Monitor(base):  # type: ignore[misc]  # known only at run time
        def __init__(self) -> None:
            base.__init__(self)
            self.phases = _Phases()
            self.failure: BaseException | None = None

        def phase_start(self, name: str, parent: str | None, steps: int) -> None:
            self._tell(self.phases.start, name, parent, steps)

        def step_complete(self, name: str, _step: int) -> bool:
            self._tell(self.phases.step, name)
            return self.failure is None

        def phase_finish(self, name: str) -> None:
            self._tell(self.phases.finish, name)

        def _tell(self, change: Any, *arguments: Any) -> None:
            try:
                moved = change(*arguments)
                if moved is not None:
                    progress(moved, 100, "%")
            except BaseException as failure:  # noqa: BLE001  # raised again by the builder
                self.failure = failure

    return Monitor()


class _Phases:
    """How far a tree of phases is; told from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._phases: dict[str, tuple[str | None, int, int]] = {}
        """Name → parent, steps, steps done."""
        self._percent = -1

    def start(self, name: str, parent: str | None, steps: int) -> int | None:
        with self._lock:
            self._phases[name] = (parent, max(steps, 1), 0)
            return self._moved()

    def step(self, name: str) -> int | None:
        with self._lock:
            parent, steps, done = self._phases.get(name, (None, 1, 0))
            self._phases[name] = (parent, steps, done + 1)
            return self._moved()

    def finish(self, name: str) -> int | None:
        with self._lock:
            parent, _, _ = self._phases.pop(name, (None, 1, 0))
            return self._moved(done=parent is None)

    def _moved(self, *, done: bool = False) -> int | None:
        """Return the percentage if it has grown; it never goes back."""
        roots = [name for name, phase in self._phases.items() if phase[0] is None]
        share = max((self._share(name) for name in roots), default=0.0)
        percent = 100 if done else int(100 * share)
        if percent <= self._percent:
            return None
        self._percent = percent
        return percent

    def _share(self, name: str) -> float:
        _, steps, done = self._phases[name]
        inside = [child for child, phase in self._phases.items() if phase[0] == name]
        return min(1.0, (done + sum(self._share(child) for child in inside)) / steps)


def demand_values(network: Any, values: Collection[str]) -> None:
    """Demand that profiles have values for the inputs that decide shapes, and for no other.

    Polygraphy would take shapes for values.

    Raises:
        StepInputError: TensorRT sees another input as one that decides shapes.
    """
    for index in range(network.num_inputs):
        tensor = network.get_input(index)
        if tensor.is_shape_tensor and tensor.name not in values:
            raise StepInputError(
                f"the values of input `{tensor.name}` decide shapes, and TensorRT must know for "
                "which of them to build",
                hint=f"write `{tensor.name}: {{values: true, min: ..., opt: ..., max: ...}}` in "
                "`profiles`",
            )
        if tensor.name in values and not tensor.is_shape_tensor:
            raise StepInputError(
                f"the values of input `{tensor.name}` decide no shape, so that a profile has none "
                "for it",
                hint="leave out `values: true`, and give its shapes if they are open",
            )


def check_profiles(
    inputs: Sequence[TensorSpec], profiles: Sequence[Profile], values: Collection[str] = ()
) -> None:
    """Demand that every profile gives every dynamic input its shapes, or its values.

    Polygraphy would fill what is missing with ones, and TensorRT would build for those.

    Raises:
        StepInputError: an input is missing, unknown, or given shapes that it cannot have.
    """
    dynamic = [spec for spec in inputs if not all(isinstance(size, int) for size in spec.shape)]
    if dynamic and not profiles:
        raise StepInputError(
            f"input `{dynamic[0].name}` has shape {_format_shape(dynamic[0].shape)}, but no "
            "profile says for which sizes to build",
            hint="give `profiles` with min, opt and max shapes, or fix the size by set_dimension",
        )
    for number, profile in enumerate(profiles):
        _check_profile(number, profile, {spec.name: spec for spec in inputs}, values)
        for spec in dynamic:
            if spec.name not in profile:
                raise StepInputError(
                    f"profile {number} has no shapes for input `{spec.name}` "
                    f"({_format_shape(spec.shape)})",
                    hint="every dynamic input needs min, opt and max in every profile",
                )


def _check_profile(
    number: int, profile: Profile, inputs: Mapping[str, TensorSpec], values: Collection[str]
) -> None:
    for name, shapes in profile.items():
        if name not in inputs:
            raise StepInputError(
                f"profile {number} names `{name}`, which is no input of the model",
                hint="inputs: " + ", ".join(inputs),
            )
        wanted = inputs[name].shape
        if name in values:
            _check_values(number, inputs[name], shapes)
            continue
        for word, shape in zip(("min", "opt", "max"), shapes, strict=True):
            if not fits(shape, wanted):
                raise StepInputError(
                    f"profile {number}, `{name}`: {word} {list(shape)} does not fit the model's "
                    f"{_format_shape(wanted)}",
                    hint="only sizes that the model leaves open may differ",
                )
        if any(not low <= best <= high for low, best, high in zip(*shapes, strict=True)):
            raise StepInputError(
                f"profile {number}, `{name}`: min {list(shapes[0])}, opt {list(shapes[1])}, "
                f"max {list(shapes[2])} do not rise",
                hint="min ≤ opt ≤ max, size by size",
            )


def _check_values(number: int, spec: TensorSpec, values: ShapeRange) -> None:
    count = spec.shape[0] if spec.shape else 1
    if len(spec.shape) > 1 or spec.dtype not in INTEGERS:
        raise StepInputError(
            f"profile {number} has values for `{spec.name}`, which is {spec.dtype} "
            f"{_format_shape(spec.shape)}",
            hint="TensorRT takes the values of int32 and int64 inputs of at most one axis",
        )
    if any(len(each) != count for each in values):
        raise StepInputError(
            f"profile {number} has {len(values[0])} values for `{spec.name}`, which is "
            f"{_format_shape(spec.shape)}",
            hint=f"give min, opt and max {count} values each",
        )


def _format_shape(shape: Sequence[int | str]) -> str:
    return "[" + ", ".join(str(size) for size in shape) + "]"
