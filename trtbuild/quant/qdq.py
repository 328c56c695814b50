"""Insert Q/DQ: write a placement into a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trtbuild.core.errors import StepInputError
from trtbuild.quant.account import TensorAccount, WeightAccount
from trtbuild.quant.folding import FOLDED, value_of
from trtbuild.quant.limits import scale_of
from trtbuild.quant.names import Names
from trtbuild.quant.placement import Pair, Placement, Site, WeightCopy
from trtbuild.quant.view import View, name_of, names_read_in_subgraphs
from trtbuild.quant.weights import WeightScaling, quantize_weight

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import onnx

__all__ = ["insert"]


def insert(
    model: onnx.ModelProto, placement: Placement, scaling: WeightScaling | None = None
) -> tuple[tuple[TensorAccount, ...], tuple[WeightAccount, ...]]:
    """Write the Q/DQ pairs and the INT8 weights into a model, in place.

    For an activation `t`: `t` → `t_quantize` → `t_quantized` → `t_dequantize` → `t_dequantized`,
    with a scalar float32 `t_scale` (shape [1] would run in float, silently) and an int8 zero
    `t_zero_point`. For a weight `w`: the int8 initializer `w_quantized` in the place of `w`, and
    `w_dequantize`, with `w_scale` and `w_zero_point` of shape [channels]. Names that are taken
    get a number, and nameless nodes the name of their first output, so that an account can name
    them. Zero points are written out, since a QuantizeLinear without one gives uint8.

    Returns:
        What was inserted for activations, and for weights, in graph order.

    Raises:
        StepInputError: a weight holds a NaN or an infinity.
    """
    writer = _Writer(model, scaling)
    tensors = tuple(writer.pair(pair) for pair in placement.pairs)
    weights = tuple(writer.weight(copy) for copy in placement.weights)
    writer.finish()
    return tensors, weights


class _Writer:
    """Collects the new nodes by the node that they stand before, then rebuilds the graph."""

    def __init__(self, model: onnx.ModelProto, scaling: WeightScaling | None) -> None:
        self._scaling = scaling
        self._graph = model.graph
        self._view = View(model)
        self._names = Names(model.graph)
        self._before: dict[int, list[onnx.NodeProto]] = {}
        self._replaced: set[str] = set()

    def pair(self, pair: Pair) -> TensorAccount:
        import numpy as np

        scale = scale_of(pair.limit)
        name = pair.tensor
        parameters = [
            self._constant(f"{name}_scale", np.array(scale, np.float32)),
            self._constant(f"{name}_zero_point", np.array(0, np.int8)),
        ]
        quantized = self._names.fresh(f"{name}_quantized")
        first = pair.sites[0][0]
        self._node(first, "Quantize", name, [name, *parameters], quantized)
        self._dequantize(name, [quantized, *parameters], pair.sites)
        return TensorAccount(
            name=name,
            limit=pair.limit,
            scale=scale,
            readers=self._readers(pair.sites),
            shared_with=pair.shared_with,
        )

    def weight(self, copy: WeightCopy) -> WeightAccount:
        import numpy as np

        name = copy.tensor
        values = value_of(self._view, name).astype(np.float32, copy=False)
        try:
            found = quantize_weight(values, copy.axis, self._scaling)
        except ValueError as error:
            raise StepInputError(
                f"weight `{name}` of node `{self._readers(copy.sites)[0]}` {error}",
                hint="the model is broken: export it again from weights that are finite",
            ) from None
        operands = [
            self._constant(f"{name}_quantized", found.values),
            self._constant(f"{name}_scale", found.scales),
            self._constant(f"{name}_zero_point", np.zeros(found.scales.shape, np.int8)),
        ]
        self._replaced |= {self._view.nodes[index].input[slot] for index, slot in copy.sites}
        self._dequantize(name, operands, copy.sites, axis=copy.axis)
        return WeightAccount(
            name=name,
            axis=copy.axis,
            channels=found.scales.size,
            dead=found.dead,
            tiny=found.tiny,
        )

    def finish(self) -> None:
        """Put the new nodes in their places, and drop the float weights that nobody reads."""
        nodes = []
        for index, node in enumerate(self._view.nodes):
            nodes += [*self._before.get(index, ()), node]
        nodes = self._without_unread(nodes)
        for node in nodes:
            node.name = name_of(node)
        del self._graph.node[:]
        self._graph.node.extend(nodes)
        graph = self._graph
        for values in (graph.initializer, graph.input, graph.value_info):
            for index in reversed(range(len(values))):
                if values[index].name in self._replaced:
                    del values[index]

    def _without_unread(self, nodes: list[onnx.NodeProto]) -> list[onnx.NodeProto]:
        """Drop replaced weights from the list, leaving in `_replaced` what nobody reads."""
        read = {output.name for output in self._graph.output}
        kept = []
        for node in reversed(nodes):
            if node.op_type in FOLDED and node.output[0] in self._replaced - read:
                self._replaced |= set(node.input)
                continue
            read |= {*node.input, *names_read_in_subgraphs(node)}
            kept.append(node)
        self._replaced -= read
        return kept[::-1]

    def _dequantize(
        self, name: str, operands: list[str], sites: Sequence[Site], **attributes: int
    ) -> None:
        result = self._names.fresh(f"{name}_dequantized")
        self._node(sites[0][0], "Dequantize", name, operands, result, **attributes)
        for index, slot in sites:
            self._view.nodes[index].input[slot] = result

    def _node(
        self, before: int, verb: str, name: str, inputs: list[str], output: str, **attributes: int
    ) -> None:
        import onnx

        node = onnx.helper.make_node(
            f"{verb}Linear",
            inputs,
            [output],
            name=self._names.fresh(f"{name}_{verb.lower()}"),
            **attributes,
        )
        self._before.setdefault(before, []).append(node)

    def _constant(self, wanted: str, values: npt.NDArray[np.generic]) -> str:
        import onnx

        name = self._names.fresh(wanted)
        self._graph.initializer.append(onnx.numpy_helper.from_array(values, name))
        return name

    def _readers(self, sites: Sequence[Site]) -> tuple[str, ...]:
        names = (name_of(self._view.nodes[index]) for index, _ in sites)
        return tuple(dict.fromkeys(names))
