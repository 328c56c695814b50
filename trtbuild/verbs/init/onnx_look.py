"""What an ONNX file shows of itself, and how it runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trtbuild.core.errors import StepInputError
from trtbuild.verbs.init.entries import Entry
from trtbuild.verbs.init.model_look import ModelLook, Shapes

if TYPE_CHECKING:
    import onnx

    from trtbuild.core.values import TensorSpec
    from trtbuild.model.session import Session

__all__ = ["OnnxTrial", "look_at_onnx"]

_COPIES = frozenset({"Identity", "Cast", "Reshape", "Unsqueeze", "Squeeze", "Transpose", "Flatten"})
"""What hands values on."""
_RECURRENT = {"LSTM": (5, 6), "GRU": (5,), "RNN": (5,)}
"""The operands that are first states."""
_SUPPRESSING = frozenset({"NonMaxSuppression", "EfficientNMS_TRT", "BatchedNMSDynamic_TRT"})
_BYTES = 100.0
"""Constants above it, taken from or divided into pixels, say that these go up to 255."""
_FEW = 16
BLUE_FIRST = (103.94, 116.78, 123.68)
"""ImageNet's mean as Caffe's models have it, and those of OpenCV's `dnn`."""
_NEAR = 3.0


def look_at_onnx(path: Path, *, placed: str, name: str) -> ModelLook:
    """Read a model; `placed` is its path as the recipe has it, `name` what to call it.

    Raises:
        MissingFile: the model, or data that one of its tensors names, is not there.
        StepInputError: it cannot be read, or is not a valid model.
    """
    from trtbuild.model.nodes import iterate_nodes
    from trtbuild.model.onnx_file import read_onnx
    from trtbuild.model.signature import read_signature

    model = read_onnx(path).model
    signature = read_signature(model)
    readers = _Readers(model)
    inputs = [spec.name for spec in signature.inputs]
    operators = Counter(node.op_type for node in iterate_nodes(model.graph.node))
    return ModelLook(
        name=name,
        section=(Entry("kind", "onnx"), Entry("path", placed)),
        inputs=signature.inputs,
        outputs=signature.outputs,
        operators=operators,
        metadata={each.key: each.value for each in model.metadata_props},
        folder=path.parent,
        tables={name: rows for name in inputs if (rows := readers.find_table(name))},
        states=frozenset(name for name in inputs if readers.is_state(name)),
        shape_inputs=signature.shape_inputs,
        scales_pixels=frozenset(name for name in inputs if readers.scales_pixels(name)),
        blue_first=frozenset(name for name in inputs if readers.takes_blue_first(name)),
        unit_vectors=frozenset(
            spec.name for spec in signature.outputs if readers.is_unit_vector(spec.name)
        ),
        suppresses=bool(_SUPPRESSING & operators.keys()),
        trial=OnnxTrial(path, model, signature.inputs),
    )


class OnnxTrial:
    """Runs a model in ONNX Runtime, which is started when it is first asked for."""

    def __init__(self, path: Path, model: onnx.ModelProto, inputs: tuple[TensorSpec, ...]) -> None:
        self._path = path
        self._model = model
        self._inputs = inputs
        self._session: Session | None = None

    def __call__(self, shapes: Shapes, values: Mapping[str, tuple[float, float]]) -> Shapes:
        """Return the shapes of the outputs, as `TrialRun` says."""
        from trtbuild.model.session import open_session
        from trtbuild.model.weights_file import is_split

        if self._session is None:
            split = is_split(self._model)
            source = self._path if split else self._model.SerializeToString()
            self._session = open_session(source, threads=0, quiet=True)
        drawn = {
            spec.name: draw(spec.dtype, shapes[spec.name], values.get(spec.name, (0.0, 1.0)))
            for spec in self._inputs
        }
        return {name: made.shape for name, made in self._session.run(drawn).items()}


def draw(dtype: str, shape: tuple[int, ...], span: tuple[float, float]) -> Any:
    """Return an array of values from the low end up to the high one, without that for integers.

    Raises:
        StepInputError: NumPy has no such type.
    """
    import numpy as np

    low, high = span
    generator = np.random.default_rng(0)
    try:
        kind = np.dtype(dtype)
    except TypeError:
        raise StepInputError(f"NumPy has no arrays of {dtype}") from None
    if kind.kind in "iub":
        return generator.integers(int(low), max(int(high), int(low) + 1), shape).astype(kind)
    return (generator.random(shape) * (high - low) + low).astype(kind)


class _Readers:
    """Which nodes read a tensor, through those that hand values on."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self._nodes = list(model.graph.node)
        self._stored = {tensor.name: tensor for tensor in model.graph.initializer}
        self._readers: dict[str, list[tuple[onnx.NodeProto, int]]] = {}
        for node in self._nodes:
            for place, name in enumerate(node.input):
                self._readers.setdefault(name, []).append((node, place))
            if node.op_type == "Constant":
                for attribute in node.attribute:
                    if attribute.name == "value":
                        self._stored[node.output[0]] = attribute.t
        self._makers = {name: node for node in self._nodes for name in node.output}

    def find_table(self, name: str) -> int:
        """Return the rows of the smallest table that an input's values are places in; or 0."""
        rows = [
            self._stored[node.input[0]].dims[0]
            for node, place in self._follow(name)
            if node.op_type == "Gather"
            and place == 1
            and node.input[0] in self._stored
            and len(self._stored[node.input[0]].dims) > 1
        ]
        return int(min(rows, default=0))

    def is_state(self, name: str) -> bool:
        return any(place in _RECURRENT.get(node.op_type, ()) for node, place in self._follow(name))

    def scales_pixels(self, name: str) -> bool:
        """Tell whether what first computes with an input divides by 255, or takes off a mean."""
        for node, place in self._follow(name):
            other = [each for at, each in enumerate(node.input) if at != place]
            values = self._values(other[0]) if len(other) == 1 else []
            if node.op_type in ("Div", "Sub") and any(each > _BYTES for each in values):
                return True
            if node.op_type == "Mul" and values and all(0 < each < 1 / _BYTES for each in values):
                return True
        return False

    def takes_blue_first(self, name: str) -> bool:
        """Tell whether what is taken off an input is ImageNet's mean as OpenCV orders channels."""
        for node, _ in self._follow(name):
            for other in node.input if node.op_type in ("Sub", "Add") else ():
                near = zip(map(abs, self._values(other)), BLUE_FIRST, strict=False)
                found = [abs(each - mean) < _NEAR for each, mean in near]
                if len(found) == len(BLUE_FIRST) and all(found):
                    return True
        return False

    def is_unit_vector(self, name: str) -> bool:
        node = self._makers.get(name)
        while node is not None and node.op_type in _COPIES:
            node = self._makers.get(node.input[0])
        if node is None:
            return False
        if node.op_type == "LpNormalization":
            return True
        return node.op_type == "Div" and self._is_length(node.input[1])

    def _is_length(self, name: str) -> bool:
        for _ in range(_FEW):
            node = self._makers.get(name)
            if node is None:
                return False
            if node.op_type == "ReduceL2":
                return True
            if node.op_type == "Sqrt":
                inner = self._makers.get(node.input[0])
                return inner is not None and inner.op_type in ("ReduceSum", "ReduceSumSquare")
            if node.op_type not in {*_COPIES, "Max", "Clip", "Expand", "Add"}:
                return False
            name = node.input[0]
        return False

    def _follow(self, name: str) -> Iterator[tuple[onnx.NodeProto, int]]:
        waiting, seen = [name], {name}
        while waiting:
            for node, place in self._readers.get(waiting.pop(), ()):
                yield node, place
                if node.op_type in _COPIES and place == 0:
                    fresh = [each for each in node.output if each not in seen]
                    seen.update(fresh)
                    waiting += fresh

    def _values(self, name: str) -> list[float]:
        from trtbuild.model.weights_file import lies_beside, read_values

        tensor = self._stored.get(name)
        if tensor is None or lies_beside(tensor) or sum(tensor.dims) > _FEW:
            return []
        return [float(each) for each in read_values(tensor).reshape(-1)]
