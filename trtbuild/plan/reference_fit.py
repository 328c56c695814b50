"""A reference × the model that is compared with it → problems: inputs, outputs, their shapes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from trtbuild.core.values import Signature, TensorSpec
from trtbuild.recipe.problems import Problem

if TYPE_CHECKING:
    from trtbuild.recipe.load import LoadedRecipe

__all__ = ["agree", "find_reference_problems"]


def find_reference_problems(
    loaded: LoadedRecipe, model: Signature, reference: Signature
) -> Iterator[Problem]:
    """Yield one problem with all that a named reference has otherwise than the model."""
    wrong = [
        *_list_unlike("input", model.inputs, reference.inputs),
        *_list_unlike("output", model.outputs, reference.outputs),
    ]
    if wrong:
        told = f"the reference does not fit the model: {'; '.join(wrong)}"
        hint = "both must take the same samples and name their outputs alike: export them alike"
        yield loaded.source.problem(("compare", "reference"), told, hint, key=True)


def _list_unlike(
    what: str, model: tuple[TensorSpec, ...], reference: tuple[TensorSpec, ...]
) -> Iterator[str]:
    ours, theirs = ({spec.name: spec for spec in specs} for specs in (model, reference))
    lacking = [f"`{name}`" for name in ours if name not in theirs]
    more = [f"`{name}`" for name in theirs if name not in ours]
    if lacking:
        yield f"it has no {what} {', '.join(lacking)}" + (f", but {', '.join(more)}" * bool(more))
    elif more:
        yield f"its {what} {', '.join(more)} is none of the model's"
    for name in ours:
        if name in theirs and not agree(ours[name], theirs[name]):
            yield f"its {what} `{name}` is {_shape(theirs[name])}, the model's {_shape(ours[name])}"


def agree(one: TensorSpec, other: TensorSpec) -> bool:
    """Tell whether two shapes can be one; axis 0 is the batch, and both are fed what they take."""
    pairs = list(zip(one.shape, other.shape, strict=False))[1:]
    return len(one.shape) == len(other.shape) and all(
        a == b for a, b in pairs if isinstance(a, int) and isinstance(b, int)
    )


def _shape(spec: TensorSpec) -> str:
    return f"[{', '.join(map(str, spec.shape))}]"
