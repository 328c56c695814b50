"""Name or size one dimension of the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from trtbuild.core.errors import StepInputError
from trtbuild.core.values import TensorSpec
from trtbuild.fixes.base import FixKind, FixLog

if TYPE_CHECKING:
    import onnx_graphsurgeon as gs

    from trtbuild.model.shapes import Dimension

__all__ = ["SetDimension"]

PROBED = 3
"""The size of the first dynamic dimension, where sizes are reckoned in numbers."""


class SetDimension(FixKind):
    """Name or size one dimension of an input or output, and infer all shapes again.

    Dimensions of the same name follow: they are one dimension. A fixed size becomes dynamic when it
    is given a name; Reshape, Resize and Slice inside that insist on the old size follow as well.
    Where something else does (a table of positions, anchors), it is an error.
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
        account.changed(self.tensor, f"axis {self.axis}: {old or '?'} → {self.size}")
        if isinstance(old, int):
            self._adapt(graph, tensor, account, old)
        self._propagate(graph, old)
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

    def _adapt(self, graph: gs.Graph, tensor: gs.Variable, account: FixLog, old: int) -> None:
        """Let what insists on the old size follow, and hold the result to another size."""
        from trtbuild.fixes.adapting import SizeChange, adapt_sizes
        from trtbuild.model.shapes import infer_at

        other = self.size if isinstance(self.size, int) else 2 * old
        change = SizeChange(
            before=self._size_inputs(graph, tensor, old),
            loose=self._size_inputs(graph, tensor, old, first=2 * PROBED),
            after=self._size_inputs(graph, tensor, other),
            fixed=isinstance(self.size, int),
        )
        for name, what in adapt_sizes(graph, change):
            account.changed(name, what)
        try:
            infer_at(graph, change.after, strict=True)
        except StepInputError as error:
            raise StepInputError(
                f"set_dimension: `{self.tensor}` axis {self.axis} cannot be {self.size}: "
                + (f"at {other}, " if other != self.size else "")
                + error.message,
                hint="the model was exported for one size; export it again, dynamic",
            ) from error

    def _size_inputs(
        self, graph: gs.Graph, tensor: gs.Variable, size: int, first: int = PROBED
    ) -> dict[str, list[Dimension]]:
        """Return the shapes of the inputs in numbers, with this size of the dimension."""
        numbers: dict[Dimension, int] = {}
        made: dict[str, list[Dimension]] = {}
        for each in graph.inputs:
            if each.shape is None:
                continue
            made[each.name] = [
                n if isinstance(n, int) else numbers.setdefault(n, first + len(numbers))
                for n in each.shape
            ]
            if each is tensor:
                made[each.name][self.axis] = size
        return made

    def _propagate(self, graph: gs.Graph, old: Dimension) -> None:
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


def _text(tensor: gs.Variable) -> str:
    if tensor.shape is None:
        return "[?]"
    return "[" + ", ".join(str(size) if size else "?" for size in tensor.shape) + "]"
