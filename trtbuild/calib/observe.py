"""Observer: the model, with the tensors that need a range exposed as outputs."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trtbuild.core.errors import StepInputError
from trtbuild.core.values import TensorSpec

if TYPE_CHECKING:
    import numpy as np
    import onnx

__all__ = ["Observer"]

_DTYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(double)": "float64",
    "tensor(int64)": "int64",
    "tensor(int32)": "int32",
    "tensor(int16)": "int16",
    "tensor(int8)": "int8",
    "tensor(uint64)": "uint64",
    "tensor(uint32)": "uint32",
    "tensor(uint16)": "uint16",
    "tensor(uint8)": "uint8",
    "tensor(bool)": "bool",
}


class Observer:
    """Runs a model in ONNX Runtime on one thread, so that no sum's order ever changes.

    Having no threads, it outlives a fork, and forked processes share its memory. ONNX Runtime
    neither fuses nor drops what is an output, so each observed tensor is what the model as written
    computes.
    """

    def __init__(self, model: onnx.ModelProto, tensors: Sequence[str], *, folder: Path) -> None:
        """Open a session; `folder` is where the model's external data lies.

        Empties `model`: what is left of it are nodes without weights.

        Raises:
            StepInputError: ONNX Runtime cannot run the model; quotes it.
        """
        _expose(model, tensors)
        self._session = _make_session(model, folder)
        given = {value.name for value in self._session.get_inputs()}
        self.tensors = tuple(tensors)
        self._fed = [name for name in tensors if name in given]
        self._made = [name for name in tensors if name not in given]
        self.inputs = tuple(_spec(value) for value in self._session.get_inputs())

    @property
    def batch(self) -> int:
        """How many samples a run takes: 1 where the model leaves it open.

        One at a time, so that the batch size of the data cannot change a result.
        """
        fixed = {spec.shape[0] for spec in self.inputs if spec.shape}
        return max((size for size in fixed if isinstance(size, int)), default=1)

    def values(self, feed: Mapping[str, np.ndarray]) -> Iterator[tuple[str, np.ndarray]]:
        """Run the model once and return each observed tensor, inputs first.

        Raises:
            StepInputError: ONNX Runtime failed; quotes it.
        """
        try:
            made = self._session.run(self._made, dict(feed)) if self._made else []
        except Exception as error:  # ONNX Runtime raises bare RuntimeErrors and its own
            raise StepInputError(
                f"ONNX Runtime could not run the model: {error}",
                hint="do the samples have the values and sizes that the model was made for?",
            ) from error
        return self._named(feed, made[::-1])

    def _named(
        self, feed: Mapping[str, np.ndarray], made: list[np.ndarray]
    ) -> Iterator[tuple[str, np.ndarray]]:
        for name in self._fed:
            yield name, _as_float32(name, feed[name])
        for name in self._made:
            yield name, _as_float32(name, made.pop())  # nobody holds what was yielded


def _expose(model: onnx.ModelProto, tensors: Sequence[str]) -> None:
    import onnx

    graph = model.graph
    known = {value.name for value in (*graph.input, *graph.output)}
    made = {name for node in graph.node for name in node.output}
    for name in tensors:
        if name not in known:
            if name not in made:
                raise StepInputError(f"the model has no tensor `{name}`")
            graph.output.append(onnx.ValueInfoProto(name=name))


def _make_session(model: onnx.ModelProto, folder: Path) -> Any:
    """Open a session on a model whose weights lie in a file of their own.

    ONNX Runtime maps that file; of a model in memory it would keep two copies more.
    """
    import onnx

    if any(tensor.external_data for tensor in model.graph.initializer):
        return _open(model.SerializeToString(), folder, mapped=True)
    with tempfile.TemporaryDirectory(prefix="trtbuild-") as scratch:
        path = Path(scratch, "model.onnx")
        onnx.save(model, path, save_as_external_data=True, location="weights")
        return _open(str(path), Path(scratch), mapped=False)


def _open(model: str | bytes, folder: Path, *, mapped: bool) -> Any:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # A plan of all activations in one block takes memory, and saves no time here.
    options.enable_mem_pattern = False
    if mapped:
        # Packing weights for speed copies all of them; of a model over 2 GB they stay in the file.
        options.add_session_config_entry("session.disable_prepacking", "1")
    options.add_session_config_entry(
        "session.model_external_initializers_file_folder_path", str(folder)
    )
    try:
        return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime raises bare RuntimeErrors and its own
        raise StepInputError(
            f"ONNX Runtime cannot load the model for calibration: {error}",
            hint="calibration runs the FP32 model on the CPU: every operator must be one that "
            "ONNX Runtime has",
        ) from error


def _spec(value: Any) -> TensorSpec:
    dtype = _DTYPES.get(value.type)
    if dtype is None:
        raise StepInputError(f"input `{value.name}` is a {value.type}; NumPy has no such array")
    shape = tuple(
        size if isinstance(size, int) else str(size or f"{value.name}_{axis}")
        for axis, size in enumerate(value.shape)
    )
    return TensorSpec(name=value.name, dtype=dtype, shape=shape)


def _as_float32(name: str, values: np.ndarray) -> np.ndarray:
    import numpy as np

    if values.dtype == np.float32:
        return values
    if values.dtype == np.float16:
        return values.astype(np.float32)  # exact
    raise StepInputError(
        f"`{name}` is {values.dtype.name}; only floating-point tensors have ranges"
    )
