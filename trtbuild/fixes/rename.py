"""Rename inputs, outputs and tensors inside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, field_validator

from trtbuild.core.errors import StepInputError
from trtbuild.core.options import NonEmpty
from trtbuild.core.values import TensorSpec
from trtbuild.fixes.base import FixKind, FixLog
from trtbuild.fixes.tensors import find_tensors, refuse_absent

if TYPE_CHECKING:
    import onnx_graphsurgeon as gs

__all__ = ["Rename"]


class Rename(FixKind):
    """Rename inputs, outputs and tensors inside; whatever the recipe says below goes by the new.

    `names: {input.1: image, "495": logits}`  →  profiles, data, ranges and engines know `image`.
    """

    kind: Literal["rename"]
    names: Annotated[dict[NonEmpty, NonEmpty], Field(min_length=1)]
    """The new name of each tensor, by the old one."""

    @field_validator("names")
    @classmethod
    def _once(cls, names: dict[str, str]) -> dict[str, str]:
        """Refuse what could not be done twice without harm."""
        if len(set(names.values())) < len(names):
            raise ValueError("`names` gives one name to two tensors")
        if both := sorted(set(names) & set(names.values())):
            raise ValueError(f"`{both[0]}` is an old and a new name; rename in two fixes")
        return names

    def apply(self, graph: gs.Graph) -> FixLog:
        """Change the graph in place and say what was done.

        Raises:
            StepInputError: there is no such tensor, or the new name is another's.
        """
        log = FixLog()
        tensors = find_tensors(graph)
        for old, new in self.names.items():
            if old not in tensors:
                if new not in tensors:
                    raise refuse_absent(self.kind, old, tensors, "tensor")
                log.remark(f"rename: there is no `{old}`, and a `{new}` already")
                continue
            if new in tensors:
                raise StepInputError(
                    f"rename: `{old}` cannot be called `{new}`: another tensor is",
                    hint="choose another name, or rename that one first, in a fix of its own",
                )
            tensors[old].name = new
            log.changed(old, f"→ {new}")
        return log

    def foresee(self, inputs: tuple[TensorSpec, ...]) -> tuple[TensorSpec, ...]:
        """Return the inputs by their new names."""
        return tuple(
            each.model_copy(update={"name": self.names.get(each.name, each.name)})
            for each in inputs
        )
