"""Walk: a model run over samples front to back, a piece at a time, whose constants may change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from trtbuild.core.errors import StepInputError
from trtbuild.model.session import open_session
from trtbuild.model.view import iterate_names_read_in_bodies
from trtbuild.model.weights_file import read_values

if TYPE_CHECKING:
    import numpy.typing as npt
    import onnx

    Array = npt.NDArray[Any]

__all__ = ["Walk"]

UNSTEADY = frozenset({"RandomNormal", "RandomUniform"})
"""Operators without inputs that make other values each time."""


class Walk:
    """Runs each node once a sample, as far as it is asked to, and keeps what is still to be read.

    Every piece is computed on one thread, so that no sum's order ever changes; `threads` samples
    are computed side by side.
    """

    def __init__(
        self,
        model: onnx.ModelProto,
        feeds: Sequence[Mapping[str, Array]],
        wanted: Sequence[str],
        *,
        threads: int = 1,
        limit_bytes: int = 1 << 30,
    ) -> None:
        """Start before the first node; `wanted` are the tensors that will be asked for, in order.

        The model's weights stay where they are. Of what is kept for all samples at some place, no
        more than `limit_bytes` are: where the first sample shows that all would be more, the last
        ones are left out from there on.
        """
        self._model = model
        self._threads = threads
        self._limit_bytes = limit_bytes
        self._nodes = list(model.graph.node)
        self._constants = {tensor.name: tensor for tensor in model.graph.initializer}
        self._makers = {
            name: index for index, node in enumerate(self._nodes) for name in node.output if name
        }
        fed = {value.name for value in model.graph.input}
        known = frozenset({*self._constants, *self._makers, *fed})
        self._reads = [_list_reads(node, known) for node in self._nodes]
        self._steady = self._find_steady()
        self._wanted = list(wanted)
        self._pending = self._find_needed(wanted, have=frozenset())
        self._held: list[dict[str, Array]] = [dict(feed) for feed in feeds]
        self._drop_read()

    def __len__(self) -> int:
        """Count the samples."""
        return len(self._held)

    def keep(self, samples: int) -> None:
        """Go on with the first so many samples alone."""
        del self._held[samples:]

    def advance(self, tensor: str) -> None:
        """Run what the next tensor that is wanted needs, and forget those that were wanted before.

        Raises:
            StepInputError: ONNX Runtime cannot run a piece of the model.
        """
        del self._wanted[: self._wanted.index(tensor)]
        have = frozenset(self._held[0]) if self._held else frozenset()
        if tensor not in have and self._held:
            piece = self._find_needed([tensor], have=have)
            self._pending -= piece
            self._run(sorted(piece))
        self._drop_read()

    def values(self, tensor: str) -> Iterator[Array]:
        """Yield what a tensor that was advanced to holds, sample by sample."""
        for held in self._held:
            yield held[tensor]

    def rank(self, tensor: str) -> int:
        """Return how many axes a tensor that is kept has."""
        return self._held[0][tensor].ndim

    def shift(self, tensor: str, by: Array) -> None:
        """Add something to a tensor that is kept, in every sample."""
        for held in self._held:
            held[tensor] = held[tensor] + by

    def set_constant(self, tensor: onnx.TensorProto) -> None:
        """Let what is run from here on read another constant of that name."""
        self._constants[tensor.name] = tensor

    def _find_steady(self) -> frozenset[str]:
        """Return the tensors that are made of constants alone: each piece makes them anew."""
        steady = set(self._constants)
        for node, reads in zip(self._nodes, self._reads, strict=True):
            if node.op_type not in UNSTEADY and steady.issuperset(reads):
                steady.update(node.output)
        return frozenset(steady)

    def _find_needed(self, tensors: Sequence[str], *, have: frozenset[str]) -> set[int]:
        """Return the nodes that have to run for these tensors, those of constants left out."""
        waiting, found = list(tensors), set[int]()
        while waiting:
            name = waiting.pop()
            maker = self._makers.get(name)
            if maker is not None and maker not in found and name not in have | self._steady:
                found.add(maker)
                waiting += self._reads[maker]
        return found

    def _drop_read(self) -> None:
        """Forget what no node that is still to run reads, and nobody wants."""
        read = {name for node in self._pending for name in self._reads[node]} | {*self._wanted}
        for held in self._held:
            for name in held.keys() - read:
                del held[name]

    def _run(self, piece: Sequence[int]) -> None:
        later = {name for node in self._pending for name in self._reads[node]} | {*self._wanted}
        made = [n for node in piece for n in self._nodes[node].output if n and n in later]
        inside = {name for node in piece for name in self._nodes[node].output}
        read = {name for node in piece for name in self._reads[node]} - inside - self._steady
        fed = sorted(read)
        session = open_session(self._extract(piece, fed, made), threads=1)

        def run(held: dict[str, Array]) -> None:
            held.update(session.run({name: held[name] for name in fed}, made))

        run(self._held[0])
        size = sum(values.nbytes for values in self._held[0].values())
        self.keep(max(1, self._limit_bytes // max(1, size)))
        with ThreadPoolExecutor(max(1, self._threads)) as pool:
            list(pool.map(run, self._held[1:]))

    def _extract(self, piece: Sequence[int], fed: Sequence[str], made: Sequence[str]) -> bytes:
        """Return a model of some nodes and the constants that they read."""
        import onnx

        steady, constants = self._gather_steady(piece)
        part = onnx.ModelProto(ir_version=self._model.ir_version)
        part.opset_import.extend(self._model.opset_import)
        part.graph.name = "piece"
        part.graph.node.extend(self._nodes[index] for index in sorted({*piece, *steady}))
        for name in constants:
            values = read_values(self._constants[name])
            part.graph.initializer.append(onnx.numpy_helper.from_array(values, name))
        for name in fed:
            dtype = onnx.helper.np_dtype_to_tensor_dtype(self._held[0][name].dtype)
            shape = [None] * self._held[0][name].ndim
            part.graph.input.append(onnx.helper.make_tensor_value_info(name, dtype, shape))
        part.graph.output.extend(onnx.ValueInfoProto(name=name) for name in made)
        try:
            return part.SerializeToString()  # type: ignore[no-any-return]
        except ValueError:  # over 2 GB
            raise StepInputError(
                "a single layer holds more than 2 GB of weights: they cannot be adjusted",
                hint="leave `rounding` and `bias_correction` out of the recipe",
            ) from None

    def _gather_steady(self, piece: Sequence[int]) -> tuple[set[int], list[str]]:
        """Return the nodes of constants that a piece needs, and the constants that it reads."""
        waiting = [name for node in piece for name in self._reads[node]]
        nodes, constants = set[int](), dict[str, None]()
        while waiting:
            name = waiting.pop()
            if name in self._constants:
                constants[name] = None
            elif name in self._steady and (maker := self._makers[name]) not in nodes:
                nodes.add(maker)
                waiting += self._reads[maker]
        return nodes, list(constants)


def _list_reads(node: onnx.NodeProto, known: frozenset[str]) -> list[str]:
    """Return the tensors of the top graph that a node reads, in its bodies too."""
    return sorted(known & {*node.input, *iterate_names_read_in_bodies(node)})
