"""Let what was exported for one size follow another: Reshape, Resize, Slice of constant sizes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trtbuild.core.frozen import frozen
from trtbuild.fixes.regrouping import find_moved, match_groups
from trtbuild.fixes.tensors import Names

if TYPE_CHECKING:
    import onnx_graphsurgeon as gs

    from trtbuild.model.shapes import Dimension

__all__ = ["SizeChange", "adapt_sizes"]

_END = 2**31 - 1
_ROUNDS = 500
AXES = _SIZES = 3
"""Where a Slice reads its axes, and a Resize its sizes."""
Sizes = Mapping[str, Sequence["Dimension"]]


@frozen
class SizeChange:
    """Two sizes of an input: the shapes of the inputs at the old one, and at another."""

    before: Sizes
    loose: Sizes
    """At the old one, with other numbers for whatever is dynamic already."""
    after: Sizes
    fixed: bool
    """Whether the model is for the other size alone; else for any."""


@frozen
class _Place:
    """A node, and the shapes that it reads at the two sizes."""

    graph: gs.Graph
    node: gs.Node
    old: list[int]
    new: list[int]
    loose: frozenset[int]
    """The axes that are dynamic already."""
    fixed: bool


def adapt_sizes(graph: gs.Graph, change: SizeChange) -> list[tuple[str, str]]:
    """Rewrite what insists on the old size; return the nodes, and what became of each.

    What cannot be told apart stays; the sizes then do not fit together, or the shapes say so.
    """
    from trtbuild.model.shapes import infer_at

    before, loose = (infer_at(graph, sizes) for sizes in (change.before, change.loose))
    told: list[tuple[str, str]] = []
    done: set[int] = set()
    for _ in range(_ROUNDS):
        after = infer_at(graph, change.after)
        fresh = list(_adapt_round(graph, (before, loose, after), done, fixed=change.fixed))
        if not fresh:
            break
        told += fresh
    return told


def _adapt_round(
    graph: gs.Graph, shapes: Sequence[Mapping[str, Any]], done: set[int], *, fixed: bool
) -> Iterator[tuple[str, str]]:
    """Rewrite nodes in order, but for those behind a fresh one, where shapes are not known."""
    stale: set[int] = set()
    for node in list(graph.nodes):
        if any(id(tensor) in stale for tensor in node.inputs):
            stale |= {id(tensor) for tensor in node.outputs}
            continue
        if id(node) in done or node.op not in _ADAPT or not node.inputs:
            continue
        old, other, new = (_known(each.get(node.inputs[0].name)) for each in shapes)
        if old is None or other is None or new is None or old == new or len(old) != len(new):
            continue
        loose = frozenset(axis for axis, size in enumerate(other) if size != old[axis])
        what = _ADAPT[node.op](_Place(graph, node, old, new, loose, fixed))
        if what:
            done.add(id(node))
            stale |= {id(tensor) for tensor in node.outputs}
            yield node.name, what


def _known(shape: Sequence[Dimension] | None) -> list[int] | None:
    if shape is None or not all(isinstance(size, int) for size in shape):
        return None
    return [int(size) for size in shape if size is not None]


def _constant(node: gs.Node, slot: int) -> Any:
    import onnx_graphsurgeon as gs

    there = slot < len(node.inputs) and isinstance(node.inputs[slot], gs.Constant)
    return node.inputs[slot].values if there else None


def _adapt_reshape(at: _Place) -> str:
    import numpy as np

    values = _constant(at.node, 1)
    if values is None or at.node.attrs.get("allowzero", 0):
        return ""
    written = [int(size) for size in values.reshape(-1)]
    target = [at.old[axis] if size == 0 else size for axis, size in enumerate(written)]
    if -1 in target:
        rest = math.prod(size for size in target if size != -1)
        target[target.index(-1)] = math.prod(at.old) // rest if rest else 0
    groups = match_groups(at.old, target) if math.prod(at.old) == math.prod(target) else None
    moved = find_moved(groups, at.old, at.new, target) if groups else None
    if moved is None:
        return ""
    follows = {entry for entry, axes in moved.items() if _follows(written, entry, axes)}
    if follows == set(moved):
        return ""
    wanted = _write_target(at, written, moved)
    if wanted is not None:
        at.node.inputs[1] = _make_constant(at, np.array(wanted, np.int64))
        return f"reshapes to {wanted}, was {written}"
    computed = _find_computed(at, written, groups, moved) if groups else None
    if computed is None:
        return ""
    at.node.inputs[1] = _compute_target(at, target, computed)
    return f"reshapes to sizes that it computes, was {written}"


def _follows(written: Sequence[int], entry: int, axes: Sequence[int]) -> bool:
    """Tell whether an entry of a target follows its input as it is written."""
    return written[entry] == -1 or (written[entry] == 0 and list(axes) == [entry])


def _write_target(
    at: _Place, written: Sequence[int], moved: Mapping[int, Sequence[int]]
) -> list[int] | None:
    """Write a target that follows: in numbers, by 0 in its own place, by one -1.

    None where that is not enough.
    """
    made, left = list(written), []
    for entry, axes in moved.items():
        if at.fixed and not at.loose.intersection(axes):
            made[entry] = math.prod(at.new[axis] for axis in axes)
        elif list(axes) == [entry]:
            made[entry] = 0
        elif written[entry] != -1:
            left.append(entry)
    if len(left) > (0 if -1 in made else 1):
        return None
    for entry in left:
        made[entry] = -1
    return made


def _find_computed(
    at: _Place,
    written: Sequence[int],
    groups: Sequence[tuple[list[int], list[int]]],
    moved: Mapping[int, Sequence[int]],
) -> dict[int, Sequence[int]] | None:
    """Return the entries that have to be computed, and of which axes; None where one cannot be."""
    computed = dict(moved)
    for ours, theirs in groups:
        for entry in theirs:
            if written[entry] > 0 or entry in computed:
                continue
            if len(theirs) > 1 and at.loose.intersection(ours):
                return None
            if len(theirs) == 1:
                computed[entry] = ours
    return computed


def _compute_target(
    at: _Place, target: Sequence[int], moved: Mapping[int, Sequence[int]]
) -> gs.Variable:
    import numpy as np
    import onnx_graphsurgeon as gs

    graph, node = at.graph, at.node
    names = Names(graph)

    def add(op: str, inputs: list[gs.Tensor], **attrs: Any) -> gs.Variable:
        name = names.fresh(f"{node.name}/{op}")
        made = gs.Variable(names.fresh(f"{name}_out"), np.int64)
        graph.nodes.insert(graph.nodes.index(node), gs.Node(op, name, attrs, inputs, [made]))
        return made

    def constant(values: Sequence[int]) -> gs.Constant:
        return gs.Constant(names.fresh(f"{node.name}/sizes"), np.array(values, np.int64))

    shape = add("Shape", [node.inputs[0]])
    parts: list[gs.Tensor] = []
    for entry, size in enumerate(target):
        if entry not in moved:
            parts.append(constant([size]))
            continue
        picked = add("Gather", [shape, constant(moved[entry])], axis=0)
        parts.append(add("ReduceProd", [picked], keepdims=1) if len(moved[entry]) > 1 else picked)
    return add("Concat", parts, axis=0)


def _adapt_resize(at: _Place) -> str:
    import numpy as np
    import onnx_graphsurgeon as gs

    values = _constant(at.node, _SIZES)
    if values is None or values.size != len(at.old) or at.node.attrs.get("axes"):
        return ""
    sizes = [int(size) for size in values.reshape(-1)]
    if at.fixed:
        made = [size * n // o for size, o, n in zip(sizes, at.old, at.new, strict=True)]
        at.node.inputs[_SIZES] = _make_constant(at, np.array(made, np.int64))
        return f"resizes to {made}, was {sizes}"
    scales = [size / o for size, o in zip(sizes, at.old, strict=True)]
    factors = _make_constant(at, np.array(scales, np.float32))
    at.node.inputs = [at.node.inputs[0], gs.Variable.empty(), factors]
    return f"resizes by {[round(each, 4) for each in scales]}, was to {sizes}"


def _adapt_slice(at: _Place) -> str:
    import numpy as np

    ends, axes, steps = (_constant(at.node, slot) for slot in (2, 3, 4))
    if ends is None or (
        axes is None and len(at.node.inputs) > AXES and not at.node.inputs[AXES].is_empty()
    ):
        return ""
    places = range(ends.size) if axes is None else [int(a) % len(at.old) for a in axes.reshape(-1)]
    strides = [1] * ends.size if steps is None else [int(each) for each in steps.reshape(-1)]
    made = [int(each) for each in ends.reshape(-1)]
    meant = [
        slot
        for slot, axis in enumerate(places)
        if at.old[axis] != at.new[axis] and made[slot] == at.old[axis] and strides[slot] > 0
    ]
    for slot in meant:
        made[slot] = _END
    if meant:
        at.node.inputs[2] = _make_constant(at, np.array(made, np.int64))
    return "cuts to the end, whatever that is" if meant else ""


def _make_constant(at: _Place, values: Any) -> gs.Constant:
    import onnx_graphsurgeon as gs

    return gs.Constant(Names(at.graph).fresh(f"{at.node.name}_sizes"), values)


_ADAPT = {"Reshape": _adapt_reshape, "Resize": _adapt_resize, "Slice": _adapt_slice}
