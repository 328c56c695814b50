"""Which of the recipe's names is which tensor that a PyTorch module returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trtbuild.core.errors import StepInputError
from trtbuild.core.words import join_few

if TYPE_CHECKING:
    from torch.export import ExportedProgram

    from trtbuild.sources.kinds import Torch

__all__ = ["flat", "order_of_outputs"]

MOST = 8


def order_of_outputs(source: Torch, program: ExportedProgram) -> tuple[str, ...]:
    """Return the recipe's names of outputs, in the order in which the module returns them.

    What has keys (a dict) is named by them, since a recipe shows no order there; what has an
    order is named in it. A named tuple has both: its fields where the recipe names those.

    Raises:
        StepInputError: there are more tensors or fewer, or they have other keys.
    """
    paths, keyed, ordered = _paths(program)
    names = source.outputs
    if len(paths) == len(names) and (len(names) == 1 or not keyed):
        return names
    if keyed and set(names) == set(paths):
        return tuple(paths)
    if ordered and len(paths) == len(names):
        places = dict(zip(paths, names, strict=True))
        if all(place == name for place, name in places.items() if name in places):
            return names
    if not keyed:
        raise StepInputError(
            f"{source.entrypoint}: it returns {len(paths)} tensors, "
            f"the recipe names {len(names)}: {', '.join(names)}",
            hint="name every output, in order, under model.outputs",
        )
    shown = join_few([f"`{path}`" for path in paths], MOST)
    raise StepInputError(
        f"{source.entrypoint}: it returns {shown or 'nothing'} by name, "
        f"the recipe names {', '.join(f'`{name}`' for name in names)}",
        hint=f"name each by its key, in any order: outputs: [{', '.join(paths)}]",
    )


def flat(returned: Any) -> list[Any]:
    """Return what a module returned as a flat list, in the order of the exported outputs."""
    from torch.utils import _pytree as tree

    return [leaf for leaf in tree.tree_leaves(returned) if leaf is not None]


def _paths(program: ExportedProgram) -> tuple[list[str], bool, bool]:
    """Return the path to each tensor, whether any has a key, and whether all have an order."""
    from torch.export.graph_signature import ConstantArgument, OutputKind
    from torch.utils import _pytree as tree

    returned = [
        spec.arg
        for spec in program.graph_signature.output_specs
        if spec.kind is OutputKind.USER_OUTPUT
    ]
    whole = tree.tree_unflatten(returned, program.call_spec.out_spec)
    leaves, _ = tree.tree_flatten_with_path(whole)
    kept = [
        path
        for path, leaf in leaves
        if not (isinstance(leaf, ConstantArgument) and leaf.value is None)
    ]
    kinds = {type(key) for path in kept for key in path}
    names = [".".join(_key(key) for key in path) for path in kept]
    return names, kinds - {tree.SequenceKey} != set(), tree.MappingKey not in kinds


def _key(key: Any) -> str:
    for field in ("key", "idx", "name"):
        if hasattr(key, field):
            return str(getattr(key, field))
    return str(key)
