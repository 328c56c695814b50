"""Which sizes an exporter sees for dimensions that have names, and at which its work is checked."""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING

from trtbuild.core.options import Options

if TYPE_CHECKING:
    from trtbuild.sources.inputs import InputSpec

__all__ = ["Shapes", "Sizes", "choose_sizes"]

Shape = tuple[int, ...]
Shapes = tuple[Shape, Shape, Shape]
"""Of one input in a profile: min, opt and max."""
Extent = tuple[int, int, int]
"""The same of one dimension."""

SMALLEST = 2
"""A dimension of size 1 is spread over others, which would hide what it is."""
BATCH, OTHER, APART = 2, 64, 32
"""Sizes where no profile says any; what is no batch may be halved a few times on its way."""
FEW = 3
"""Dimensions whose corners are all checked: eight."""
STEPS = (32, 16, 8, 4, 2, 1)
UNBOUNDED = 2**31


class Sizes(Options):
    """The sizes of named dimensions at which a model is exported, and then checked."""

    example: dict[str, int] = {}
    """What the exporter sees: within the profiles, where there are any."""
    checked: tuple[dict[str, int], ...] = ()
    """Corners of the profiles, at which the result is checked besides."""

    def bounds(self) -> dict[str, tuple[int, int]]:
        """Return the least and the most of dimensions that profiles let vary, batches aside."""
        extents = {name: [each[name] for each in self.checked] for name in self.example}
        return {
            name: (min(sizes), max(sizes))
            for name, sizes in extents.items()
            if sizes and min(sizes) < max(sizes)
        }


def choose_sizes(
    inputs: "Mapping[str, InputSpec]",
    profiles: Sequence[Mapping[str, Shapes]],
    later: Mapping[tuple[str, int], int],
) -> Sizes:
    """Choose sizes for the dimensions that inputs name.

    The example has the `opt` sizes of the profile that reaches furthest; where two would be
    equal, one is moved, since equal sizes can pass for one dimension. A batch (what is always
    axis 0) stays as small as its profile allows, here and at the corners: its size is what people
    tune, a large one takes its time, and the model treats each sample alike.

    Args:
        inputs: of the model, by name.
        profiles: the shapes of each profile by input; those that do not fit are passed over.
        later: sizes that fixes will set, by input and axis; they count as a profile's.
    """
    specs = [(name, inputs[name].shape) for name in sorted(inputs)]  # as digests see them
    named = dict.fromkeys(size for _, shape in specs for size in shape if isinstance(size, str))
    batches = {name for name in named if _is_batch(name, [shape for _, shape in specs])}
    set_later = {name: (size, size, size) for name, size in _set_later(inputs, later)}
    extents = [_extents(specs, profile) | set_later for profile in profiles] or [set_later]
    widest = max(extents, key=lambda each: math.prod(high for _, _, high in each.values()))
    example: dict[str, int] = {}
    for name in named:
        usual = BATCH + len(example) if name in batches else OTHER + APART * len(example)
        low, opt, high = widest.get(name, (1, usual, UNBOUNDED))
        size = usual if name in batches else opt
        example[name] = _apart(size, low, high, example.values())
    corners = [
        {name: extent[end] for (name, extent), end in zip(known.items(), ends, strict=True)}
        for each in extents
        for known in [_within(named, each, example, batches)]
        for ends in _ends(known)
    ]
    new = {tuple(corner.values()): corner for corner in corners if corner != example}
    return Sizes(example=example, checked=tuple(new.values()))


def _within(
    named: Iterable[str],
    extents: Mapping[str, Extent],
    example: Mapping[str, int],
    batches: Collection[str],
) -> dict[str, tuple[int, int]]:
    """Return the least and the most that each dimension is checked at, of a batch the least."""
    found: dict[str, tuple[int, int]] = {}
    for name in named:
        low, _, high = extents.get(name, (example[name],) * 3)
        found[name] = (low, low if name in batches else high)
    return found


def _ends(known: Mapping[str, tuple[int, int]]) -> Iterator[tuple[int, ...]]:
    """Yield corners: which end each dimension is at, all at the same one first.

    Where few vary, every corner; where many, those alone at which one is at its most, or least.
    """
    yield from ((end,) * len(known) for end in (0, 1))
    free = [index for index, (low, high) in enumerate(known.values()) if low < high]
    mixed: Iterable[tuple[int, ...]] = product((0, 1), repeat=len(free))
    if len(free) > FEW:
        mixed = (tuple(int(i == j) ^ end for j in free) for end in (0, 1) for i in free)
    for chosen in mixed:
        ends = dict(zip(free, chosen, strict=True))
        yield tuple(ends.get(index, 0) for index in range(len(known)))


def _is_batch(name: str, shapes: Iterable[Sequence[int | str]]) -> bool:
    return all(name not in shape[1:] for shape in shapes)


def _set_later(
    inputs: "Mapping[str, InputSpec]", later: Mapping[tuple[str, int], int]
) -> Iterator[tuple[str, int]]:
    for (tensor, axis), size in later.items():
        shape = inputs[tensor].shape if tensor in inputs else ()
        for name in shape[axis : axis + 1]:
            if isinstance(name, str):
                yield name, size


def _extents(
    specs: Iterable[tuple[str, Sequence[int | str]]], profile: Mapping[str, Shapes]
) -> dict[str, Extent]:
    found: dict[str, Extent] = {}
    for name, shape in specs:
        shapes = profile.get(name, ())
        if any(len(each) != len(shape) for each in shapes):
            continue
        for size, *extent in zip(shape, *shapes, strict=False):
            if isinstance(size, str) and extent:
                least, usual, most = extent
                found.setdefault(size, (max(1, least), usual, most))
    return found


def _apart(size: int, low: int, high: int, taken: Collection[int]) -> int:
    """Return the size, or another within bounds that is not taken yet.

    The bounds come first: a model may take multiples of some number alone, and they are some.
    """
    low = min(max(low, SMALLEST), high)
    size = min(max(size, low), high)
    near = [size, high, low, *(size + sign * step for step in STEPS for sign in (1, -1))]
    return next((each for each in near if low <= each <= high and each not in taken), size)
