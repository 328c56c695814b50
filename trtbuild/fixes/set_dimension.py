"""Name or size one dimension of the model."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from trtbuild.core.errors import StepInputError
from trtbuild.core.values import TensorSpec
from trtbuild.fixes.base import FixKind, FixLog

if TYPE_CHECKING:
    import onnx_graphsurgeon as gs

    from trtbuild.model.shapes import Dimension

__all__ = ["SetDimension"]


class SetDimension(FixKind):
    """Name or size one dimension of an input or output, and infer all shapes again.

    Dimensions of the same name follow: they are one dimension. A fixed size becomes dynamic
    when it is given a name; a Reshape inside that still insists on the old size is an error.
    """

    equal: ClassVar[bool] = True

    kind: Literal["set_dimension"]
    tensor: str
    """The input or output."""
    axis: Annotated[int, Field(ge=0)]
    """Which of its dimensions, from 0."""
    size: Annotated[int, Field(ge=1)] | Annotated[str, Field(pattern="^[A-Za-z_][A-Za-z0-9_]*$")]
    """A number fixes it; a name makes it dynamic."""

    def apply(self, graph: gs.Graph) -> FixLog:
        """Change the graph in place and say what was done.

        Raises:
            StepInputError: no such tensor or axis, or the graph does not allow it.
        """
        account = FixLog()
        tensor = self._find(graph)
        old: Dimension = tensor.shape[self.axis]
        if old == self.size:
            account.remark(f"set_dimension: axis {self.axis} of `{self.tensor}` is {old} already")
            return account
        is_input = any(tensor is each for each in graph.inputs)
        if isinstance(old, int) and not is_input:
            raise StepInputError(
                f"set_dimension: axis {self.axis} of output `{self.tensor}` is {old}; "
                "an output's size follows from the inputs",
                hint="set the dimension of the input that it comes from",
            )
        if isinstance(old, str) and old:
            self._rename(graph, old)
        tensor.shape = [*tensor.shape[: self.axis], self.size, *tensor.shape[self.axis + 1 :]]
        self._propagate(graph, account, old)
        account.changed(self.tensor, f"axis {self.axis}: {old or '?'} → {self.size}")
        return account

    def foresee(self, inputs: tuple[TensorSpec, ...]) -> tuple[TensorSpec, ...]:
        """Return the inputs with the dimension's new size; none where an output's is meant."""
        changed = next((spec for spec in inputs if spec.name == self.tensor), None)
        if changed is None or self.axis >= len(changed.shape):
            return ()  # an output's dimension may be that of an input
        old = changed.shape[self.axis]

        def resize(spec: TensorSpec, axis: int, size: int | str) -> int | str:
            meant = spec is changed and axis == self.axis
            return self.size if meant or (isinstance(size, str) and size == old) else size

        return tuple(
            spec.model_copy(
                update={"shape": tuple(resize(spec, *each) for each in enumerate(spec.shape))}
            )
            for spec in inputs
        )

    def _rename(self, graph: gs.Graph, old: str) -> None:
        """Give a named dimension its new size or name wherever it stands."""
        made = [tensor for node in graph.nodes for tensor in node.outputs]
        for each in [*graph.inputs, *graph.outputs, *made]:
            if each.shape is not None:
                each.shape = [self.size if size == old else size for size in each.shape]

    def _find(self, graph: gs.Graph) -> gs.Variable:
        everything = [*graph.inputs, *graph.outputs]
        for tensor in everything:
            if tensor.name != self.tensor:
                continue
            if tensor.shape is None or self.axis >= len(tensor.shape):
                rank = "no known rank" if tensor.shape is None else f"{len(tensor.shape)} axes"
                raise StepInputError(
                    f"set_dimension: `{self.tensor}` has {rank}, not an axis {self.axis}",
                    hint=f"its shape is {_text(tensor)}",
                )
            return tensor
        shapes = ", ".join(f"{each.name} {_text(each)}" for each in everything)
        raise StepInputError(
            f"set_dimension: the model has no input or output `{self.tensor}`",
            hint=f"inputs and outputs: {shapes}",
        )

    def _propagate(self, graph: gs.Graph, account: FixLog, old: Dimension) -> None:
        from trtbuild.model.shapes import infer_shapes_anew, merge_shapes

        try:
            found = infer_shapes_anew(graph, moved=isinstance(old, int))
        except StepInputError as error:
            raise StepInputError(
                f"set_dimension: `{self.tensor}` axis {self.axis} cannot be {self.size}: "
                f"{error.message}",
                hint="the model was exported for another size; export it again",
            ) from error
        for output in graph.outputs:
            output.shape = merge_shapes(
                output.shape, found[output.name], moved=isinstance(old, int)
            )
        if isinstance(old, int):
            self._look_at_reshapes(graph, account, old)

    def _look_at_reshapes(self, graph: gs.Graph, account: FixLog, old: int) -> None:
        import onnx_graphsurgeon as gs

        for node in graph.nodes:
            if node.op != "Reshape" or not isinstance(node.inputs[1], gs.Constant):
                continue
            target = [int(size) for size in node.inputs[1].values]
            data = node.inputs[0].shape
            if all(size > 0 for size in target) and data is not None:
                known = all(isinstance(size, int) for size in data)
                if not known or math.prod(data) != math.prod(target):
                    raise StepInputError(
                        f"set_dimension: `{self.tensor}` axis {self.axis} cannot be {self.size}: "
                        f"{node.name} reshapes to {target}, whatever comes in",
                        hint="the model was exported for one size; export it again, dynamic",
                    )
            elif self.axis < len(target) and target[self.axis] == old:
                account.remark(
                    f"set_dimension: {node.name} reshapes to {target}: where that {old} stands "
                    f"for axis {self.axis} of `{self.tensor}`, results are wrong"
                )


def _text(tensor: gs.Variable) -> str:
    if tensor.shape is None:
        return "[?]"
    return "[" + ", ".join(str(size) if size else "?" for size in tensor.shape) + "]"
