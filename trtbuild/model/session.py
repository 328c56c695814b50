"""ONNX Runtime: sessions opened under one policy, and its errors told as ours."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trtbuild.core.errors import MissingDependency, StepInputError
from trtbuild.core.words import quote_whole
from trtbuild.model.opset import EXPORT_ANEW, is_outdated
from trtbuild.model.providers import CPU, CUDA, Providers, list_names, prepare

if TYPE_CHECKING:
    import numpy as np

__all__ = [
    "CPU",
    "RUN_HINT",
    "Session",
    "is_gpu_full",
    "is_out_of_memory",
    "open_fast_session",
    "open_session",
    "translate_errors",
    "write_optimized",
]

_SEED = 20
_LACKING = "every operator must be one that ONNX Runtime has: replace others before the export"
_OTHER_FORM = (
    "ONNX Runtime has this operator in other types or opsets alone: export the model in float32, "
    "or with another opset"
)
_NO_MEMORY = re.compile(
    r"(?i)out of memory|failed to allocate memory|bad_alloc|CUDNN_STATUS_ALLOC_FAILED"
    r"|CUBLAS_STATUS_ALLOC_FAILED|cudaErrorMemoryAllocation|memory left on the GPU"
    r"|DEVICE_ALLOCATION_FAILED|CUBLAS_STATUS_NOT_INITIALIZED"
)
"""What is said of it; by cuBLAS that it is not initialized, where there is no room for its own."""
_MAIN_MEMORY = re.compile(r"bad_alloc|^out of memory$")
_ADVICE = (
    (
        _NO_MEMORY.pattern,
        "memory is short: end what fills it; for a GPU's, `--batch 1` or `--device cpu` does too",
    ),
    (r"model IR version", "write `model.ir_version = 10` before the model is saved"),
    (
        r"only \*guarantees\* support",
        "export the model with an opset that this ONNX Runtime knows, as 17 or 20",
    ),
)
_HINTS = {CUDA: "`trtbuild doctor` says what it lacks; `--device cpu` does without"}
RUN_HINT = "do the arrays have the values and sizes that the model was made for?"
_ERRORS_ALONE, _NOTHING = 3, 4
"""ONNX Runtime's severities from which it logs: warnings tell of what its optimizer tidies up."""


UNSOUND = ("ReluQuantRewrite",)
"""Rewritings of ONNX Runtime (1.32) that change numbers: this one takes the zero point of an FP8
QuantizeLinear for uint8's least number, and drops the Relu in front of it. Of INT8 it does nothing
here: 0 is not its least."""


class Session:
    """A model in ONNX Runtime, ready to run."""

    def __init__(self, session: Any, keep: object = None) -> None:
        """Take ONNX Runtime's own, and what must live as long as it does."""
        self.session = session
        """ONNX Runtime's own."""
        self.keep = keep
        """What lives as long as it does."""
        self._outputs = [output.name for output in session.get_outputs()]

    def run(
        self, feed_dict: Mapping[str, np.ndarray], outputs: Sequence[str] | None = None
    ) -> dict[str, np.ndarray]:
        """Run the model once; return the outputs that are named, or all, in their order.

        Raises:
            StepInputError: ONNX Runtime cannot run the model on this; quotes it.
        """
        names = self._outputs if outputs is None else list(outputs)
        if not names:  # ONNX Runtime would take it for all
            return {}
        with translate_errors("run", RUN_HINT):
            values = self.session.run(names, dict(feed_dict))
        return dict(zip(names, values, strict=True))


def open_session(
    model: Path | bytes,
    *,
    threads: int,
    folder: Path | None = None,
    mapped: bool = False,
    providers: Providers = CPU,
    constants: Mapping[str, np.ndarray] | None = None,
    quiet: bool = False,
) -> Session:
    """Load a model, as a file or as bytes; `threads` 0 means all.

    Q/DQ pairs are computed as they stand, in float. ONNX Runtime's own fusions of them would
    quantize biases as well and, on processors without VNNI, saturate in 16 bits: numbers of
    another model, and other ones on each machine. TensorRT does neither.

    Args:
        model: what to load.
        threads: how many compute one operator.
        folder: where the model's external data lies; by default where its file does.
        mapped: leave weights in that data's file: packing them for speed would copy them all.
        providers: what ONNX Runtime computes on: all of them must really be there.
        constants: initializers that the model says lie in a file: sessions may share them.
        quiet: have ONNX Runtime log nothing of what it raises anyway: runs may fail.

    Raises:
        StepInputError: ONNX Runtime cannot load the model; quotes it.
        MissingDependency: this ONNX Runtime lacks a provider.
    """
    options = _make_options(threads)
    if quiet:
        options.log_severity_level = _NOTHING
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    if mapped:
        options.add_session_config_entry("session.disable_prepacking", "1")
    if folder is not None:
        options.add_session_config_entry(
            "session.model_external_initializers_file_folder_path", str(folder)
        )
    if constants:
        values = [_make_value(each) for each in constants.values()]
        options.add_external_initializers(list(constants), values)
    return Session(_load(model, options, providers), keep=constants)


def _make_value(array: np.ndarray) -> Any:
    """Return what ONNX Runtime shares of an array, whose type NumPy itself may not have."""
    import numpy as np
    import onnx
    import onnxruntime as ort

    if array.dtype.isbuiltin == 1:
        return ort.OrtValue.ortvalue_from_numpy(array)
    number = onnx.helper.np_dtype_to_tensor_dtype(array.dtype)
    whole = np.ascontiguousarray(array).reshape(array.shape)  # which keeps a scalar one
    bits = whole.view(f"uint{8 * array.dtype.itemsize}")
    return ort.OrtValue.ortvalue_from_numpy_with_onnx_type(bits, number)


def open_fast_session(
    model: Path,
    *,
    threads: int,
    providers: Providers = CPU,
    profile: Path | None = None,
    settled: bool = False,
) -> Any:
    """Load a model as its users do, to be timed: all of ONNX Runtime's optimizations, its own plan.

    Q/DQ pairs are fused to integer kernels where it has some: see `open_session` for what numbers
    are compared with. Returns ONNX Runtime's own session, which writes what its nodes take to a
    file that begins with `profile`, if one is given. One that is `settled` plans no block for all
    activations after its first run, and so allocates nothing at the second.

    Raises:
        StepInputError: ONNX Runtime cannot load the model; quotes it.
        MissingDependency: this ONNX Runtime lacks a provider.
    """
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ALONE
    if settled:
        options.enable_mem_pattern = False
    if profile is not None:
        options.enable_profiling, options.profile_file_prefix = True, str(profile)
    return _load(model, options, providers)


def write_optimized(model: Path, path: Path) -> None:
    """Have ONNX Runtime write down the graph that it would run, its fusions of Q/DQ included.

    Fusions up to EXTENDED decide between integer and float; the layout changes above them depend
    on the processor and rename what they touch.

    Raises:
        StepInputError: ONNX Runtime cannot load the model; quotes it.
    """
    import onnxruntime as ort

    options = _make_options(threads=0)
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(path)
    _load(model, options, CPU)


def _make_options(threads: int) -> Any:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ALONE
    # A plan of all activations in one block takes memory, and saves no time here.
    options.enable_mem_pattern = False
    return options


def _load(model: Path | bytes, options: Any, providers: Providers) -> Any:
    import onnxruntime as ort

    names = list_names(providers)
    _demand_providers(names, ort.get_available_providers())
    prepare(providers)
    ort.set_seed(_SEED)  # or what a model draws would be other numbers in each process
    with translate_errors("load", _LACKING):
        session = ort.InferenceSession(
            model, options, providers=list(providers), disabled_optimizers=list(UNSOUND)
        )
    _demand_providers(names, session.get_providers())
    return session


def _demand_providers(wanted: Sequence[str], found: Sequence[str]) -> None:
    """Refuse to do without a provider: ONNX Runtime would fall back to the CPU with a warning."""
    for provider in wanted:
        if provider not in found:
            raise MissingDependency(
                f"ONNX Runtime has no {provider} here, only {', '.join(found)}",
                hint=_HINTS.get(provider, "install an ONNX Runtime that has it, and what it needs"),
            )


def is_out_of_memory(error: Exception) -> bool:
    """Tell whether an error of a session says that there was no memory left."""
    return isinstance(error, MemoryError) or bool(_NO_MEMORY.search(str(error)))


def is_gpu_full(told: str) -> bool:
    """Tell whether an error's message says so of memory that is not the machine's main memory."""
    return bool(_NO_MEMORY.search(told)) and not _MAIN_MEMORY.search(told)


@contextlib.contextmanager
def translate_errors(what: str, hint: str) -> Iterator[None]:
    """Turn what ONNX Runtime raises when it is to load or run a model into one error of ours."""
    try:
        yield
    except _list_errors() as error:
        told = quote_whole(str(error)) or type(error).__name__
        raise StepInputError(
            f"ONNX Runtime cannot {what} the model: {told}", hint=_advise(told) or hint
        ) from None


def _advise(told: str) -> str:
    """Say what to do about what ONNX Runtime says, where it is known."""
    if form := re.search(r"Could not find an implementation for (\w+)\((\d+)\)", told):
        return EXPORT_ANEW if is_outdated(form[1], int(form[2])) else _OTHER_FORM
    return next((hint for words, hint in _ADVICE if re.search(words, told)), "")


def _list_errors() -> tuple[type[Exception], ...]:
    """Return what ONNX Runtime raises: Python's own, and its own, which have no common base."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    own = [each for each in vars(state).values() if isinstance(each, type)]
    return (
        RuntimeError,
        MemoryError,
        *(each for each in own if issubclass(each, Exception)),
    )
