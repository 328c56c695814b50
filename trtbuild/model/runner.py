"""The reference runner: a model in ONNX Runtime, on the CPU, through Polygraphy."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trtbuild.core.errors import StepInputError

if TYPE_CHECKING:
    import numpy as np

__all__ = ["InferFunction", "list_ort_errors", "open_runner"]

InferFunction = Callable[[Mapping[str, "np.ndarray"]], dict[str, "np.ndarray"]]
"""feed_dict (arrays with a batch axis, by input) → arrays by output."""


@contextlib.contextmanager
def open_runner(model: Path, *, threads: int, mapped: bool = False) -> Iterator[InferFunction]:
    """Load a model and yield a function that runs it; `threads` 0 means all.

    `mapped` leaves the weights in the file beside the model: packing them would copy them all.

    Q/DQ pairs are computed as they stand, in float. ONNX Runtime's own fusions of them would
    quantize biases as well and, on processors without VNNI, saturate in 16 bits: numbers of
    another model, and other ones on each machine. TensorRT does neither.

    Raises:
        StepInputError: ONNX Runtime cannot load the model, or cannot run it on what it is fed.
    """
    with _runner(_session(model, threads, mapped=mapped)) as runner:

        def infer(feed_dict: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
            try:
                return dict(runner.infer(feed_dict, check_inputs=False))
            except list_ort_errors() as error:
                raise StepInputError(
                    f"ONNX Runtime cannot run the model: {error}",
                    hint="do the arrays have the values and sizes that the model was made for?",
                ) from None

        yield infer


def _runner(session: Any) -> Any:
    import time

    from polygraphy.backend.onnxrt import OnnxrtRunner

    class Runner(OnnxrtRunner):  # type: ignore[misc]  # known only at run time
        # Polygraphy's own asks of every array whether it is PyTorch's, and imports PyTorch for
        # that where it is installed: seconds, and more memory than most models take.
        def infer_impl(self, feed_dict: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
            begin = time.perf_counter()
            names = [output.name for output in self.sess.get_outputs()]
            values = self.sess.run(names, dict(feed_dict))
            self.inference_time = time.perf_counter() - begin
            return dict(zip(names, values, strict=True))

    return Runner(session)


def _session(model: Path, threads: int, *, mapped: bool) -> Any:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    if mapped:
        options.add_session_config_entry("session.disable_prepacking", "1")
    try:
        return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except list_ort_errors() as error:
        raise StepInputError(
            f"ONNX Runtime cannot load the model: {error}",
            hint="an operator it does not know must be replaced before the export",
        ) from None


def list_ort_errors() -> tuple[type[Exception], ...]:
    """Return the exceptions of ONNX Runtime; they have no common base."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    return tuple(
        each
        for each in vars(state).values()
        if isinstance(each, type) and issubclass(each, Exception)
    )
