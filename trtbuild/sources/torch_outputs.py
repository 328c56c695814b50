"""Which of the recipe's names is which tensor that a PyTorch module returns."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trtbuild.core.errors import StepInputError
from trtbuild.core.words import join_few

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Returned", "flatten_outputs", "list_leaves", "look_at", "order_outputs", "pick_outputs"]

MOST = 8
MAPPED, FIELD, PLACE = "key of a mapping", "field", "place"


@dataclasses.dataclass(frozen=True)
class Returned:
    """What a module returned: its tensors, and how it keeps them."""

    paths: tuple[str, ...]
    """By tensor, the keys and places that lead to it, joined by dots."""
    tensors: tuple[Any, ...]
    keyed: bool
    """Some are found by a key, or the name of a field."""
    ordered: bool
    """All are in an order: none by the key of a mapping."""
    usual: bool
    """All is in what exporters know: tuples, lists, dicts and named tuples."""


def look_at(returned: Any) -> Returned:
    """Take apart what a module returned; what is None is left out."""
    leaves = list(_leaves(returned, ()))
    kinds = {kind for path, _ in leaves for kind, _, _ in path}
    return Returned(
        paths=tuple(".".join(word for _, word, _ in path) for path, _ in leaves),
        tensors=tuple(leaf for _, leaf in leaves),
        keyed=bool({MAPPED, FIELD} & kinds),
        ordered=MAPPED not in kinds,
        usual=all(usual for path, _ in leaves for _, _, usual in path),
    )


def list_leaves(returned: Any) -> list[Any]:
    """Return what a module returned as a flat list, in the order of the exported outputs."""
    return [leaf for _, leaf in _leaves(returned, ())]


def order_outputs(where: str, names: Sequence[str], returned: Returned) -> tuple[str, ...]:
    """Return the recipe's names of outputs, in the order in which the module returns them.

    What has keys (a dict) is named by them, since a recipe shows no order there; what has an
    order is named in it. A named tuple, or a dataclass, has both: its fields where the recipe names
    those.

    Raises:
        StepInputError: there are more tensors or fewer, or they have other keys; `where` is what
            its message begins with.
    """
    paths = returned.paths
    if len(paths) == len(names) and (len(names) == 1 or not returned.keyed):
        return tuple(names)
    if returned.keyed and set(names) == set(paths):
        return paths
    if returned.ordered and len(paths) == len(names):
        places = dict(zip(paths, names, strict=True))
        if all(place == name for place, name in places.items() if name in places):
            return tuple(names)
    if not returned.keyed:
        raise StepInputError(
            f"{where}: it returns {len(paths)} tensors, "
            f"the recipe names {len(names)}: {', '.join(names)}",
            hint="name every output, in order, under model.outputs",
        )
    raise StepInputError(
        f"{where}: it returns {_shown(paths)} by name, "
        f"the recipe names {', '.join(f'`{name}`' for name in names)}",
        hint=f"name each by its key, in any order: outputs: [{', '.join(paths)}]",
    )


def pick_outputs(where: str, names: Sequence[str], returned: Returned) -> tuple[int, ...]:
    """Return which of the tensors bear these names, all where there are no names.

    Raises:
        StepInputError: it returns none of a name; `where` is what its message begins with.
    """
    unknown = [name for name in names if name not in returned.paths]
    if unknown:
        raise StepInputError(
            f"{where}: it returns {_shown(returned.paths)}, and no `{unknown[0]}`",
            hint="name some of them under `outputs`, or leave `outputs` out for all",
        )
    return tuple(i for i, path in enumerate(returned.paths) if not names or path in names)


def flatten_outputs(module: nn.Module, chosen: Sequence[int] | None = None) -> None:
    """Have a module return a tuple of its tensors, or those that are chosen, from now on."""

    def flattened(_module: nn.Module, _given: Any, returned: Any) -> tuple[Any, ...]:
        leaves = list_leaves(returned)
        return tuple(leaves if chosen is None else (leaves[index] for index in chosen))

    module.register_forward_hook(flattened)


def _shown(paths: Sequence[str]) -> str:
    return join_few([f"`{path}`" for path in paths], MOST) or "nothing"


Step = tuple[str, str, bool]
"""What sort of a container was entered, by which key, and whether exporters know it."""


def _leaves(value: Any, path: tuple[Step, ...]) -> Iterator[tuple[tuple[Step, ...], Any]]:
    inner = _inner(value)
    if inner is None:
        yield path, value
    for step, each in inner or ():
        if each is not None:
            yield from _leaves(each, (*path, step))


def _inner(value: Any) -> list[tuple[Step, Any]] | None:
    """Return what a container holds; None where it is none."""
    if isinstance(value, Mapping):
        usual = type(value) in (dict, OrderedDict)
        return [((MAPPED, str(key), usual), each) for key, each in value.items()]
    if isinstance(value, tuple | list):
        names = getattr(value, "_fields", None)  # of a named tuple
        kind = PLACE if names is None else FIELD
        words = range(len(value)) if names is None else names
        usual = type(value) in (tuple, list) or kind is FIELD
        return [((kind, str(w), usual), each) for w, each in zip(words, value, strict=True)]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        words = [field.name for field in dataclasses.fields(value)]
        return [((FIELD, word, False), getattr(value, word)) for word in words]
    return None
