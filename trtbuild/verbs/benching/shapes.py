"""At which shapes to time: those that are asked for, or min, opt and max of the profiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trtbuild.core.errors import UsageError
from trtbuild.core.timing import Shapes
from trtbuild.core.values import TensorSpec

__all__ = ["Profiles", "choose_shapes"]

Profiles = Sequence[Mapping[str, Sequence[tuple[int, ...]]]]


def choose_shapes(
    inputs: Sequence[TensorSpec],
    profiles: Profiles,
    *,
    batches: Sequence[int],
    shapes: Sequence[Shapes],
) -> tuple[Shapes, ...]:
    """Return sets of shapes, each once, in order: smaller batches first, then what was written.

    A batch size counts axis 0 of every input that has it open; other axes are as the first
    profile's `opt` has them.

    Raises:
        UsageError: a batch size is asked for, and no input has axis 0 open.
    """
    found: list[Shapes] = [_at_batch(inputs, profiles, batch) for batch in sorted(set(batches))]
    found += [dict(each) for each in shapes]
    if not found:
        found = [
            {name: tuple(each[place]) for name, each in profile.items()}
            for profile in profiles
            for place in range(3)
        ]
    unique = [each for place, each in enumerate(found) if each not in found[:place]]
    return tuple(unique) or (_at_one(inputs),)


def _at_batch(inputs: Sequence[TensorSpec], profiles: Profiles, batch: int) -> Shapes:
    usual = {name: tuple(each[1]) for name, each in profiles[0].items()} if profiles else {}
    found, counted = dict(usual), False
    for spec in inputs:
        if spec.shape and not isinstance(spec.shape[0], int):
            rest = usual.get(spec.name, spec.shape)[1:]
            if not all(isinstance(size, int) for size in rest):
                raise UsageError(
                    f"the input `{spec.name}` [{', '.join(map(str, spec.shape))}] has more open "
                    "sizes than the batch",
                    hint=f"--shape {spec.name}={batch}x..., or write `profiles`",
                )
            found[spec.name] = (batch, *(int(size) for size in rest))
            counted = True
    if not counted:
        told = "; ".join(f"`{spec.name}` {list(spec.shape)}" for spec in inputs)
        raise UsageError(
            f"batch {batch}: no input has an open axis 0: {told}",
            hint="leave --batch out: the model has one size; or open it (fix `set_dimension`)",
        )
    return found


def _at_one(inputs: Sequence[TensorSpec]) -> Shapes:
    """Return the model's own shapes, with a batch of one where only that is open."""
    return {
        spec.name: (1, *(int(size) for size in spec.shape[1:]))
        for spec in inputs
        if spec.shape
        and not isinstance(spec.shape[0], int)
        and all(isinstance(size, int) for size in spec.shape[1:])
    }
