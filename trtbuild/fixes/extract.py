"""Cut a part out of the model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from trtbuild.core.errors import StepInputError
from trtbuild.core.options import NonEmpty
from trtbuild.core.values import TensorSpec
from trtbuild.core.words import join_few
from trtbuild.fixes.base import FixKind, FixLog
from trtbuild.fixes.tensors import SHOWN, refuse_absent

if TYPE_CHECKING:
    import onnx_graphsurgeon as gs

__all__ = ["Extract"]


class Extract(FixKind):
    """Cut out the part between some tensors: a backbone, a model without its postprocessing.

    What the named outputs rest on stays, as far back as the named inputs. They keep their names.
    """

    kind: Literal["extract"]
    inputs: tuple[NonEmpty, ...] = ()
    """Tensors that become the inputs, in this order; by default the model's own, as far as the
    outputs rest on them."""
    outputs: tuple[NonEmpty, ...] = ()
    """Tensors that become the outputs, in this order; by default the model's own."""

    def apply(self, graph: gs.Graph) -> FixLog:
        """Change the graph in place and say what was done.

        Raises:
            StepInputError: there is no such tensor, its type is not known, or the outputs rest on
                inputs that are not named.
        """
        log = FixLog()
        before = [tensor.name for tensor in (*graph.inputs, *graph.outputs)]
        outputs = [self._find(graph, name) for name in self.outputs] or list(graph.outputs)
        inputs = [self._find(graph, name) for name in self.inputs]
        read = _list_read(outputs, {id(tensor) for tensor in inputs})
        self._demand_whole(graph, inputs, read)
        kept = inputs or [each for each in graph.inputs if any(each is one for one in read)]
        for tensor in kept:
            tensor.inputs.clear()
        dropped = [each.name for each in graph.outputs if not any(each is one for one in outputs)]
        graph.inputs, graph.outputs = kept, outputs
        graph.cleanup()
        if before != [tensor.name for tensor in (*kept, *outputs)]:
            log.changed(join_few([each.name for each in outputs], SHOWN), _from(kept))
            if dropped:
                log.remark(f"extract: no outputs any more: {join_few(dropped, SHOWN)}")
        return log

    def foresee(self, inputs: tuple[TensorSpec, ...]) -> tuple[TensorSpec, ...]:
        """Return the inputs that stay; none where there are new ones."""
        named = {each.name: each for each in inputs}
        if self.inputs and all(name in named for name in self.inputs):
            return tuple(named[name] for name in self.inputs)
        return ()

    def _find(self, graph: gs.Graph, name: str) -> gs.Variable:
        import onnx_graphsurgeon as gs

        tensors = graph.tensors() | {each.name: each for each in (*graph.inputs, *graph.outputs)}
        found = tensors.get(name)
        if found is None or isinstance(found, gs.Constant):
            variables = [key for key, each in tensors.items() if isinstance(each, gs.Variable)]
            raise refuse_absent(self.kind, name, variables, "tensor that is computed,")
        if found.dtype is None:
            raise StepInputError(
                f"extract: the type of `{name}` is not known",
                hint="is it made by a plugin? cut in front of it, or behind the next operator",
            )
        return found

    def _demand_whole(
        self, graph: gs.Graph, inputs: list[gs.Tensor], read: list[gs.Tensor]
    ) -> None:
        for tensor in inputs:
            if not any(tensor is each for each in read):
                raise StepInputError(
                    f"extract: no output rests on `{tensor.name}`", hint="leave it out of `inputs`"
                )
        beside = [each.name for each in graph.inputs if any(each is one for one in read)]
        beside = [name for name in beside if name not in self.inputs]
        if inputs and beside:
            raise StepInputError(
                f"extract: the outputs rest on `{beside[0]}` too, another input of the model",
                hint=f"name it under `inputs` as well: {join_few(beside, SHOWN)}",
            )


def _from(kept: Iterable[gs.Tensor]) -> str:
    return f"from {join_few([each.name for each in kept], SHOWN) or 'constants'}"


def _list_read(outputs: list[gs.Tensor], ends: set[int]) -> list[gs.Tensor]:
    """Return what outputs rest on, themselves included, as far back as the ends."""
    import onnx_graphsurgeon as gs

    found: dict[int, gs.Tensor] = {}
    left = list(outputs)
    while left:
        tensor = left.pop()
        if id(tensor) in found:
            continue
        found[id(tensor)] = tensor
        for node in tensor.inputs if id(tensor) not in ends else ():
            left += node.inputs
            for body in node.attrs.values():
                if isinstance(body, gs.Graph):
                    left += [t for each in body.nodes for t in each.inputs] + list(body.outputs)
    return list(found.values())
