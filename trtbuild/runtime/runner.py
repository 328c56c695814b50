"""What runs a model or an engine, and how arrays are held against what it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from trtbuild.core.errors import UsageError
from trtbuild.core.values import TensorSpec
from trtbuild.model.gpu_arrays import lies_on_gpu, view_gpu

__all__ = ["Arrays", "InputCheck", "Runner", "refuse_closed"]

Arrays = dict[str, Any]
"""NumPy's, or on a GPU `GpuArray`s."""


class Runner(Protocol):
    """Runs one model or engine; safe to use from several threads."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    described: str
    """What runs, and where, in words."""
    platform: str
    """What runs which format, in the words of the Open Inference Protocol."""
    on_gpu: bool
    """Whether it takes arrays that lie on a GPU."""

    def run(self, feed: Mapping[str, Any], *, keep_on_gpu: bool = False) -> Arrays:
        """Return the outputs for arrays of all inputs; they are the caller's own.

        With `keep_on_gpu` they are `GpuArray`s, which stay where they were made.

        Raises:
            UsageError: the arrays do not fit.
            StepInputError: it does not run on them; quotes what ran it.
        """

    def close(self) -> None:
        """Give everything back."""


class InputCheck:
    """Holds arrays against inputs, in a few microseconds where all is well."""

    def __init__(self, inputs: Sequence[TensorSpec]) -> None:
        """Take what the model takes."""
        import numpy as np

        self._names = {spec.name for spec in inputs}
        self._specs = [(spec, np.dtype(_numpy_name(spec))) for spec in inputs]

    def read(self, feed: Mapping[str, Any], stream: int | None = None) -> Arrays:
        """Return arrays that fit, C-contiguous, without a copy where they are so already.

        What has `__dlpack__` (a torch tensor) is taken as it lies: what lies on a GPU where there
        is a CUDA `stream` that reads it, whose work from here on comes after what makes it.

        Raises:
            UsageError: one is lacking, of no input, or of another type, rank or size.
        """
        if not hasattr(feed, "keys"):
            told = f"arrays are given by their inputs' names, and not as {type(feed).__name__}"
            raise UsageError(
                told, hint=f"run({{name: array}}) with {', '.join(sorted(self._names))}"
            )
        if feed.keys() != self._names:
            raise UsageError(_tell_names(self._names, feed.keys()), hint="give an array for each")
        read: Arrays = {}
        for spec, dtype in self._specs:
            array = _take(spec.name, feed[spec.name], stream)
            shape = spec.shape
            if array.dtype != dtype:
                raise UsageError(
                    f"`{spec.name}` is {array.dtype}, and {dtype} is taken",
                    hint=f"array.astype('{dtype}'), if these are its values",
                )
            if len(array.shape) != len(shape) or any(
                isinstance(size, int) and size != given
                for size, given in zip(shape, array.shape, strict=True)
            ):
                taken = f"[{', '.join(map(str, shape))}]"
                raise UsageError(f"`{spec.name}` is {list(array.shape)}, and {taken} is taken")
            read[spec.name] = array
        return read


def refuse_closed() -> UsageError:
    """Return the error of whoever runs what is closed."""
    return UsageError("the engine is closed", hint="run it within `with Engine(...)`")


def _take(name: str, given: Any, stream: int | None) -> Any:
    import numpy as np

    if not isinstance(given, np.ndarray):
        lent = hasattr(given, "__dlpack__")
        try:
            if lies_on_gpu(given):
                return _take_there(name, given, stream)
            given = np.from_dlpack(given) if lent else np.asarray(given)
        except (BufferError, RuntimeError, TypeError, ValueError) as error:
            how = "by DLPack" if lent else "as an array"
            told = f"`{name}` cannot be read {how}: {type(given).__name__}: {error}"
            raise UsageError(told, hint="give a NumPy array") from None
    return given if given.flags.c_contiguous else np.ascontiguousarray(given)


def _take_there(name: str, given: Any, stream: int | None) -> Any:
    if stream is None:
        raise UsageError(
            f"`{name}` lies on a GPU, and the model runs on the CPU",
            hint="give arrays in main memory, as by `tensor.cpu()`",
        )
    return view_gpu(name, given, stream)


def _numpy_name(spec: TensorSpec) -> str:
    if spec.dtype == "bfloat16":
        raise UsageError(
            f"`{spec.name}` is bfloat16, which NumPy has not",
            hint="build with `keep_io_types: true`, so that float32 goes in",
        )
    return spec.dtype


def _tell_names(wanted: set[str], given: Any) -> str:
    lacking, other = sorted(wanted - set(given)), sorted(map(str, set(given) - wanted))
    told = [f"no array for {', '.join(f'`{n}`' for n in lacking)}"] if lacking else []
    told += [f"no input is called {', '.join(f'`{n}`' for n in other)}"] if other else []
    return "; ".join(told)
