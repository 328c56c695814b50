"""Which axis of each input counts the samples: by the recipe, by names, by what a sample brings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from trtbuild.core.errors import StepInputError
from trtbuild.core.frozen import frozen
from trtbuild.model.shapes import is_named

if TYPE_CHECKING:
    from trtbuild.core.values import TensorSpec
    from trtbuild.model.input_feeding import InputFeeding

__all__ = ["SamplePlacement", "arrange", "fits", "quote_setting"]

Shape = Sequence[int | str]
_PLAIN = r"(?i)(?!(?:true|false|null|yes|no|on|off|y|n)$)[a-z_][a-z0-9_.]*"
"""What YAML reads as text without quotes."""


@frozen
class SamplePlacement:
    """How samples come to be the array of one input."""

    spec: TensorSpec
    axis: int | None
    """The axis that counts the samples; None where a run takes one array, whole."""
    joined: bool = False
    """Samples bring that axis themselves, of size 1."""
    told: InputFeeding | None = None

    @property
    def fill(self) -> float | None:
        """The one value that it is filled with; None where samples bring an array."""
        return self.told.fill if self.told else None

    @property
    def batch(self) -> int | None:
        """How many samples a run must take; None where that is open."""
        size = None if self.axis is None else self.spec.shape[self.axis]
        return size if isinstance(size, int) else None

    @property
    def sample(self) -> tuple[int | str, ...]:
        """The shape that a sample's array must have."""
        shape = self.spec.shape
        if self.axis is None:
            return shape
        own = (1,) if self.joined else ()
        return (*shape[: self.axis], *own, *shape[self.axis + 1 :])


def arrange(
    inputs: Sequence[TensorSpec],
    given: Mapping[str, Shape] | None = None,
    told: Mapping[str, InputFeeding] | None = None,
) -> tuple[list[SamplePlacement], int]:
    """Decide for each input how samples become its array, and how many a run takes.

    Args:
        inputs: the model's.
        given: the shape of what a sample brings, by input; None where no sample is known, which
            is then taken to lack the batch axis.
        told: what the recipe says of some inputs.

    Raises:
        StepInputError: two axes may count the samples, or inputs have different fixed batches.
    """
    told = told or {}
    _check_told(inputs, told)
    names = _find_batch_names(inputs)
    choices = [list(_choose(spec, inputs, names, given, told.get(spec.name))) for spec in inputs]
    _demand_one_reading(choices)
    fixed = [each.batch for options in choices for each in options if each.batch is not None]
    for batch in dict.fromkeys((1, *fixed)):
        found = [
            next((each for each in options if each.batch in (None, batch)), None)
            for options in choices
        ]
        placed = [each for each in found if each is not None]
        if len(placed) == len(inputs):
            return placed, batch
    raise _disagreement([options[0] for options in choices])


def _demand_one_reading(choices: Sequence[Sequence[SamplePlacement]]) -> None:
    """Refuse to choose between a batch that is fixed and another axis that is open.

    Where there are other inputs, they decide.
    """
    for first, *others in choices if len(choices) == 1 else ():
        rivals = [each for each in others if each.batch is None]
        if rivals and first.batch not in (None, 1):
            raise _ambiguity([first, *rivals])


def fits(shape: Shape, wanted: Shape) -> bool:
    """Tell whether a shape has as many axes as wanted, and the sizes that are not left open."""
    return len(shape) == len(wanted) and all(
        isinstance(size, str) or size == given for size, given in zip(wanted, shape, strict=True)
    )


def quote_setting(name: str, setting: str) -> str:
    """Return the line of a recipe that says how an input is fed."""
    if not re.fullmatch(_PLAIN, name):
        name = "'" + name.replace("'", "''") + "'"
    return f"inputs: {{{name}: {{{setting}}}}}"


def _check_told(inputs: Sequence[TensorSpec], told: Mapping[str, InputFeeding]) -> None:
    for spec in inputs:
        axis = told[spec.name].batch_axis if spec.name in told else None
        if isinstance(axis, int) and axis >= len(spec.shape):
            raise StepInputError(
                f"`inputs` gives `{spec.name}` the batch axis {axis}, but it is {_show(spec)}",
                hint=f"its axes are 0 to {len(spec.shape) - 1}"
                if spec.shape
                else f"write `{quote_setting(spec.name, 'batch_axis: none')}`",
            )


def _find_batch_names(inputs: Sequence[TensorSpec]) -> list[str]:
    """Return the name of the dimension that counts samples; several where it may be any of them.

    It is called a batch, or it is the first of some input and the most inputs share it.
    """
    counts: dict[str, int] = {}
    for spec in inputs:
        for name in dict.fromkeys(spec.shape):
            if isinstance(name, str) and is_named(name):
                counts[name] = counts.get(name, 0) + 1
    if words := [name for name in counts if name.lower().startswith(("batch", "bsz"))]:
        return words[:1]
    first = {spec.shape[0] for spec in inputs if spec.shape}
    counts = {name: count for name, count in counts.items() if name in first}
    most = max(counts.values(), default=0)
    found = [name for name, count in counts.items() if count == most]
    return found if most > 1 or len(inputs) == 1 else []


def _choose(
    spec: TensorSpec,
    inputs: Sequence[TensorSpec],
    names: Sequence[str],
    given: Mapping[str, Shape] | None,
    told: InputFeeding | None,
) -> Iterator[SamplePlacement]:
    """Yield the ways in which an input can be fed, the likeliest first; always one at least."""
    shape = None if given is None else given.get(spec.name)
    lacking = shape is None or len(shape) == len(spec.shape) - 1
    named = [axis for axis, size in enumerate(spec.shape) if size in names]
    batch_axis = told.batch_axis if told else None
    if told and told.fill is not None and batch_axis is None:
        free = [axis for axis, size in enumerate(spec.shape) if isinstance(size, str)]
        yield SamplePlacement(spec, (*named, *free, None)[0], told=told)
    elif batch_axis == "none" or not spec.shape:
        yield SamplePlacement(spec, None, told=told)
    elif batch_axis is not None:
        yield SamplePlacement(spec, batch_axis, joined=not lacking, told=told)
    elif shape is None or not (lacking or len(shape) == len(spec.shape)):
        yield SamplePlacement(spec, (named or [0])[0], told=told)
    elif lacking:
        yield from _choose_lacking(spec, shape, named, ambiguous=len(names) > 1)
    else:
        yield _choose_whole(spec, shape, named, inputs, given or {})


def _choose_lacking(
    spec: TensorSpec, shape: Shape, named: Sequence[int], *, ambiguous: bool
) -> Iterator[SamplePlacement]:
    """Yield the axes that a sample may lack."""
    if named and not ambiguous:
        yield SamplePlacement(spec, named[0])
        return
    fitting = [
        each
        for axis in range(len(spec.shape))
        if fits(shape, (each := SamplePlacement(spec, axis)).sample)
    ]
    likely = [each for each in fitting if each.axis in named]
    if len(likely) > 1:
        raise _ambiguity(likely)
    yield from likely or fitting or [SamplePlacement(spec, 0)]


def _choose_whole(
    spec: TensorSpec,
    shape: Shape,
    named: Sequence[int],
    inputs: Sequence[TensorSpec],
    given: Mapping[str, Shape],
) -> SamplePlacement:
    """Return how an array is fed that has all axes of its input."""
    ones = [axis for axis, size in enumerate(shape) if size == 1]
    for axis in ones:
        if spec.shape[axis] != 1 and isinstance(spec.shape[axis], int):
            return SamplePlacement(spec, axis, joined=True)  # a sample is one of several
    if named:
        name = spec.shape[named[0]]
        sharing = [each for each in inputs if name in each.shape]
        lacking = any(len(given.get(each.name, ())) < len(each.shape) for each in sharing)
        if shape[named[0]] == 1 or lacking or len(sharing) == len(inputs):
            return SamplePlacement(spec, named[0], joined=True)
        return SamplePlacement(spec, None)
    unnamed = [axis for axis in ones if isinstance(spec.shape[axis], str)]
    if unnamed:
        return SamplePlacement(spec, unnamed[0], joined=True)
    alone = len(inputs) == 1 and isinstance(spec.shape[0], str)
    return SamplePlacement(spec, 0, joined=True) if alone else SamplePlacement(spec, None)


def _show(spec: TensorSpec) -> str:
    return f"[{', '.join(map(str, spec.shape))}]"


def _ambiguity(rivals: Sequence[SamplePlacement]) -> StepInputError:
    spec = rivals[0].spec
    axes = " or ".join(f"{each.axis} ({spec.shape[each.axis or 0]})" for each in rivals)
    return StepInputError(
        f"it is not known which axis of the input `{spec.name}` {_show(spec)} counts the samples: "
        f"{axes}",
        hint=f"write `{quote_setting(spec.name, f'batch_axis: {rivals[-1].axis}')}` beside "
        "`model`, or the other axis",
    )


def _disagreement(placed: Sequence[SamplePlacement]) -> StepInputError:
    shown = ", ".join(f"`{each.spec.name}` {_show(each.spec)}" for each in placed)
    other = next(each for each in placed if each.batch not in (None, placed[0].batch))
    return StepInputError(
        f"the model's inputs disagree on the batch: {shown}",
        hint="a sample lacks the batch axis, or brings it with size 1; say which it is: "
        f"`{quote_setting(other.spec.name, 'batch_axis: 1')}`, or `batch_axis: none` for an "
        "input that a run takes whole",
    )
