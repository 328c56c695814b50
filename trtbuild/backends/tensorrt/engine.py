"""An engine that is built, loaded by the TensorRT it is of: described, and run on the GPU."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from trtbuild.backends.tensorrt.flavour import FLAVOURS, load_tensorrt
from trtbuild.backends.tensorrt.messages import make_refusal
from trtbuild.backends.tensorrt.shared import capture_log, refuse_unless_started
from trtbuild.core.errors import StepInputError
from trtbuild.core.options import Options
from trtbuild.core.values import TensorSpec
from trtbuild.model.feeds import demand_fit

if TYPE_CHECKING:
    import numpy as np

__all__ = [
    "EngineDescription",
    "EngineKind",
    "OpenEngine",
    "choose_profile",
    "describe_engine",
    "describe_loaded",
    "load_engine",
    "open_engine",
    "run_engine",
]

EngineKind = Literal["tensorrt_rtx", "tensorrt11", "tensorrt10"]
_DTYPES = {"FLOAT": "float32", "HALF": "float16", "BF16": "bfloat16"}
"""TensorRT's words where they are not NumPy's in capitals."""
OPEN = "?"
"""A dimension that the engine leaves open; it does not keep the model's names for them."""


class EngineDescription(Options):
    """What an engine says of itself once it is loaded."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    profiles: tuple[dict[str, tuple[tuple[int, ...], ...]], ...]
    """Input → min, opt, max; inputs whose values are shapes are left out."""


def describe_engine(
    kind: EngineKind, engine: Path, *, plugins: Sequence[Path] = ()
) -> EngineDescription:
    """Load an engine and return what it takes and gives.

    Raises:
        StepInputError: that TensorRT does not load it; quotes its messages.
        MissingDependency, NoGpu: that TensorRT or a GPU is not here.
    """
    with load_engine(kind, engine, plugins) as (trt, built):
        return describe_loaded(trt, built)


def run_engine(
    kind: EngineKind,
    engine: Path,
    feed_dict: Mapping[str, np.ndarray],
    *,
    plugins: Sequence[Path] = (),
) -> tuple[dict[str, np.ndarray], int]:
    """Run an engine once on the GPU; return its outputs, and which profile took the inputs.

    Raises:
        StepInputError: the arrays fit no profile, or TensorRT does not load or run the engine.
        MissingDependency, NoGpu: that TensorRT or a GPU is not here.
    """
    with open_engine(kind, engine, plugins=plugins) as opened:
        return opened.run(feed_dict)


@dataclass
class OpenEngine:
    """An engine on the GPU, ready to run."""

    description: EngineDescription
    version: str
    """What runs it: `TensorRT 10.16.1.11`."""
    runner: Any
    """Polygraphy's TrtRunner."""
    profile: int = 0
    """The one in use: an engine begins with its first."""

    def run(self, feed_dict: Mapping[str, np.ndarray]) -> tuple[dict[str, np.ndarray], int]:
        """Run it once; return its outputs, and which profile took the inputs.

        Raises:
            StepInputError: the arrays fit no profile, or TensorRT does not run them.
        """
        demand_fit(feed_dict, self.description.inputs, of="the engine")
        profile = choose_profile(self.description, feed_dict)
        if profile != self.profile:
            self.runner.set_profile(profile)
            self.profile = profile
        outputs = self.runner.infer(dict(feed_dict), check_inputs=False)
        return {name: _array(name, value) for name, value in outputs.items()}, profile


@contextlib.contextmanager
def open_engine(
    kind: EngineKind, engine: Path, *, plugins: Sequence[Path] = ()
) -> Iterator[OpenEngine]:
    """Load an engine on the GPU, to be run many times.

    Raises:
        StepInputError: TensorRT does not load the engine, or did not run it.
        MissingDependency, NoGpu: that TensorRT or a GPU is not here.
    """
    with load_engine(kind, engine, plugins) as (trt, built):
        from polygraphy.backend.trt import TrtRunner

        family = "TensorRT-RTX" if kind == "tensorrt_rtx" else "TensorRT"
        with TrtRunner(built) as runner:
            yield OpenEngine(describe_loaded(trt, built), f"{family} {trt.__version__}", runner)


@contextlib.contextmanager
def load_engine(
    kind: EngineKind, engine: Path, plugins: Sequence[Path] = ()
) -> Iterator[tuple[Any, Any]]:
    """Yield TensorRT's module and the engine, loaded; what it says of failures is translated.

    Raises:
        StepInputError: TensorRT does not load the engine, or fails while it is open.
        MissingDependency, NoGpu: that TensorRT or a GPU is not here.
    """
    flavour = FLAVOURS[kind]
    trt = load_tensorrt(flavour)
    # Only now: Polygraphy asks once, when it is imported, which TensorRT there is.
    from polygraphy.backend.trt import EngineFromBytes, LoadPlugins
    from polygraphy.exception import PolygraphyException

    deserialized: Any = EngineFromBytes(engine.read_bytes())
    if plugins:
        deserialized = LoadPlugins([str(path) for path in plugins], deserialized)
    with capture_log() as log, refuse_unless_started(flavour.name, "runtime", log):
        try:
            yield trt, deserialized()
        except PolygraphyException as error:
            raise make_refusal(flavour.name, log, str(error), what="the engine") from None


def describe_loaded(trt: Any, engine: Any) -> EngineDescription:
    """Return what a loaded engine takes and gives."""
    names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
    inputs = [name for name in names if engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT]
    sized = [name for name in inputs if not engine.is_shape_inference_io(name)]
    return EngineDescription(
        inputs=tuple(_spec(engine, name) for name in inputs),
        outputs=tuple(_spec(engine, name) for name in names if name not in inputs),
        profiles=tuple(
            {
                name: tuple(map(tuple, engine.get_tensor_profile_shape(name, index)))
                for name in sized
            }
            for index in range(engine.num_optimization_profiles)
        ),
    )


def _spec(engine: Any, name: str) -> TensorSpec:
    word = engine.get_tensor_dtype(name).name
    return TensorSpec(
        name=name,
        dtype=_DTYPES.get(word, word.lower()),
        shape=tuple(OPEN if size < 0 else size for size in tuple(engine.get_tensor_shape(name))),
    )


def choose_profile(described: EngineDescription, feed_dict: Mapping[str, np.ndarray]) -> int:
    """Return the first profile that takes these shapes.

    Raises:
        StepInputError: none does; says which there are.
    """
    for number, profile in enumerate(described.profiles):
        if all(_fits_between(feed_dict[name].shape, shapes) for name, shapes in profile.items()):
            return number
    given = ", ".join(f"`{name}` {list(array.shape)}" for name, array in feed_dict.items())
    taken = "; ".join(
        f"profile {number}: "
        + ", ".join(f"`{name}` {list(s[0])} to {list(s[-1])}" for name, s in profile.items())
        for number, profile in enumerate(described.profiles)
    )
    raise StepInputError(
        f"no profile of the engine takes {given}", hint=taken or "it has no profiles"
    )


def _fits_between(shape: Sequence[int], shapes: Sequence[Sequence[int]]) -> bool:
    low, *_, high = shapes
    return all(a <= size <= b for a, size, b in zip(low, shape, high, strict=True))


def _array(name: str, value: Any) -> np.ndarray:
    import numpy as np

    if not isinstance(value, np.ndarray):
        raise StepInputError(
            f"output `{name}` lies in memory in a layout that Polygraphy does not unfold",
            hint="build it with `io_formats` that have `linear` for that output",
        )
    return value.copy()  # the runner's own memory ends with it
