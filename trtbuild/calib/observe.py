"""Observer: the model, with the tensors that need a range exposed as outputs."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.core.errors import StepInputError
from trtbuild.model.feeds import Feeder
from trtbuild.model.session import CPU, Session, open_session
from trtbuild.model.signature import describe_tensor, list_inputs

if TYPE_CHECKING:
    import numpy as np
    import onnx

__all__ = ["Observer"]


class Observer:
    """Runs a model in ONNX Runtime on one thread, so that no sum's order ever changes.

    Having no threads, it outlives a fork, and forked processes share its memory. ONNX Runtime
    neither fuses nor drops what is an output, so each observed tensor is what the model as written
    computes.
    """

    def __init__(
        self,
        model: onnx.ModelProto,
        tensors: Sequence[str],
        *,
        folder: Path,
        providers: Sequence[str] = CPU,
    ) -> None:
        """Open a session; `folder` is where the model's external data lies.

        Empties `model`: what is left of it are nodes without weights.

        Raises:
            StepInputError: ONNX Runtime cannot load the model, or it cannot be fed samples.
        """
        inputs = tuple(map(describe_tensor, list_inputs(model.graph)))
        self.feeder = Feeder(inputs)
        """Makes what `values` takes of samples."""
        _expose(model, tensors)
        self._session = _open(model, folder, providers)
        given = {spec.name for spec in inputs}
        self.tensors = tuple(tensors)
        self._fed = [name for name in tensors if name in given]
        self._made = [name for name in tensors if name not in given]

    def values(self, feed: Mapping[str, np.ndarray]) -> Iterator[tuple[str, np.ndarray]]:
        """Run the model once and return each observed tensor, inputs first.

        Raises:
            StepInputError: ONNX Runtime failed; quotes it.
        """
        return self._named(feed, self._session.run(feed, self._made))

    def _named(
        self, feed: Mapping[str, np.ndarray], made: dict[str, np.ndarray]
    ) -> Iterator[tuple[str, np.ndarray]]:
        for name in self._fed:
            yield name, _as_float32(name, feed[name])
        for name in self._made:
            yield name, _as_float32(name, made.pop(name))  # nobody holds what was yielded


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


def _open(model: onnx.ModelProto, folder: Path, providers: Sequence[str]) -> Session:
    """Open a session on a model whose weights lie in a file of their own.

    ONNX Runtime maps that file; of a model in memory it would keep two copies more.
    """
    import onnx

    if any(tensor.external_data for tensor in model.graph.initializer):
        whole = model.SerializeToString()
        return open_session(whole, threads=1, folder=folder, mapped=True, providers=providers)
    with tempfile.TemporaryDirectory(prefix="trtbuild-") as scratch:
        path = Path(scratch, "model.onnx")
        onnx.save(model, path, save_as_external_data=True, location="weights")
        return open_session(path, threads=1, providers=providers)


def _as_float32(name: str, values: np.ndarray) -> np.ndarray:
    import numpy as np

    if values.dtype == np.float32:
        return values
    if values.dtype == np.float16:
        return values.astype(np.float32)  # exact
    raise StepInputError(
        f"`{name}` is {values.dtype.name}; only floating-point tensors have ranges"
    )
