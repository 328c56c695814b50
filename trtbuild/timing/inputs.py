"""What is fed: drawn from a seed, or made of a recipe's samples where these have the shapes."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from trtbuild.core.errors import StepInputError, TrtbuildError
from trtbuild.core.timing import Shapes
from trtbuild.model.batching import arrange
from trtbuild.model.feeds import Feeder, SampleLike

if TYPE_CHECKING:
    import numpy as np

    from trtbuild.core.values import TensorSpec
    from trtbuild.model.input_feeding import InputFeeding

__all__ = ["complete_shapes", "draw_inputs", "find_batch", "stack_samples"]


def complete_shapes(inputs: Sequence[TensorSpec], given: Shapes) -> Shapes:
    """Return a shape of every input: the one that is given, or the model's own.

    Raises:
        StepInputError: a shape that is given is none of the model's, or one is open and not given.
    """
    known = {spec.name for spec in inputs}
    if strange := sorted(given.keys() - known):
        raise StepInputError(
            f"`{strange[0]}` is no input of the model, which has {', '.join(sorted(known))}"
        )
    return {spec.name: _complete(spec, given.get(spec.name)) for spec in inputs}


def _complete(spec: TensorSpec, given: tuple[int, ...] | None) -> tuple[int, ...]:
    own = spec.shape
    shape = given or tuple(size for size in own if isinstance(size, int))
    fits = len(shape) == len(own) and all(
        not isinstance(size, int) or size == wanted for size, wanted in zip(own, shape, strict=True)
    )
    if fits:
        return shape
    told = f"[{', '.join(map(str, own))}]"
    if given is None:
        raise StepInputError(
            f"the input `{spec.name}` {told} has open sizes, and no shape is given for it",
            hint=f"write `profiles`, or --shape {spec.name}=1x...",
        )
    raise StepInputError(f"the input `{spec.name}` is {told}, and {list(given)} does not fit it")


def find_batch(
    inputs: Sequence[TensorSpec], shapes: Shapes, told: Mapping[str, InputFeeding] | None = None
) -> int | None:
    """Return how many samples a call takes; None where no axis counts them."""
    try:
        placements, _ = arrange(inputs, None, told)
    except TrtbuildError:
        return None
    counted = [shapes[each.spec.name][each.axis] for each in placements if each.axis is not None]
    return counted[0] if counted else None


def draw_inputs(
    inputs: Sequence[TensorSpec], shapes: Shapes, *, seed: int, values: Sequence[str] = ()
) -> dict[str, np.ndarray]:
    """Draw each input from a seed: normal values; whole numbers are 0 or 1, which any table has.

    Of inputs that are in `values`, the shape holds what they are to be.
    """
    import numpy as np

    found = {}
    for place, spec in enumerate(sorted(inputs, key=lambda each: each.name)):
        shape, dtype = shapes[spec.name], _read_dtype(spec)
        if spec.name in values:
            found[spec.name] = np.array(shape, dtype)
            continue
        drawn = np.random.Generator(np.random.PCG64([seed, place]))
        if dtype.kind in "iub":
            found[spec.name] = drawn.integers(0, 2, shape).astype(dtype)
        else:
            found[spec.name] = drawn.standard_normal(shape, np.float32).astype(dtype)
    return {spec.name: found[spec.name] for spec in inputs}


def _read_dtype(spec: TensorSpec) -> np.dtype[np.generic]:
    import numpy as np

    try:
        dtype = np.dtype(spec.dtype)
    except TypeError:
        dtype = np.dtype(object)
    if dtype.kind not in "iubf":
        raise StepInputError(
            f"the input `{spec.name}` is {spec.dtype}, which cannot be drawn",
            hint="export the model with an input of numbers that NumPy has",
        )
    return dtype


def stack_samples(
    feeder: Feeder, samples: Sequence[SampleLike], shapes: Shapes
) -> dict[str, np.ndarray] | None:
    """Make inputs of these shapes from samples, in order and again from the first.

    None where the samples have other shapes: nothing is cut or padded.
    """
    import numpy as np

    axes = {each.spec.name: each.axis for each in feeder.placements}
    counted = [shapes[name][axis] for name, axis in axes.items() if axis is not None]
    if not samples or not counted or len(set(counted)) > 1:
        return None
    wanted = counted[0]
    turns = itertools.islice(itertools.cycle(samples), -(-wanted // feeder.batch) * feeder.batch)
    try:
        feeds = [feed.arrays for feed in feeder.feeds(turns)]
    except StepInputError:
        return None
    arrays = {
        name: feeds[0][name]
        if axis is None
        else np.ascontiguousarray(np.concatenate([each[name] for each in feeds], axis=axis))
        for name, axis in axes.items()
    }
    dtypes = {each.spec.name: each.spec.dtype for each in feeder.placements}
    made = {name: values.astype(dtypes[name], copy=False) for name, values in arrays.items()}
    return made if {name: each.shape for name, each in made.items()} == shapes else None
