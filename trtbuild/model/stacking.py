"""The array of one input, made of what a batch's samples bring, or filled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from trtbuild.core.errors import StepInputError
from trtbuild.model.batching import SamplePlacement, fits, quote_setting
from trtbuild.model.shapes import is_named
from trtbuild.model.unfinished import Unfinished

if TYPE_CHECKING:
    import numpy as np

    from trtbuild.core.values import TensorSpec

__all__ = ["NamedSizes", "fill_input", "join_samples"]


class NamedSizes:
    """The sizes of named dimensions in one feed: a name is one size."""

    def __init__(self, sample: str) -> None:
        """Take the sample's name, for messages."""
        self._sample = sample
        self._where: dict[str, str] = {}
        self.known: dict[str, int] = {}
        """Size by name."""

    def add(self, spec: TensorSpec, shape: Sequence[int]) -> None:
        """Note the sizes of an input's array.

        Raises:
            StepInputError: a name has another size already.
        """
        for axis, (name, size) in enumerate(zip(spec.shape, shape, strict=True)):
            if not isinstance(name, str) or not is_named(name):
                continue
            before = self.known.setdefault(name, size)
            where = self._where.setdefault(name, f"axis {axis} of `{spec.name}`")
            if size != before:
                raise StepInputError(
                    f"sample {self._sample}: axis {axis} of `{spec.name}` is {size}, and {where} "
                    f"is {before}; the model calls both `{name}`, so they are one size",
                    hint="give both the same size in every sample; where the axis counts no "
                    f"samples, write `{quote_setting(spec.name, 'batch_axis: none')}`",
                )


def join_samples(
    placement: SamplePlacement, parts: Sequence[np.ndarray], names: Sequence[str]
) -> np.ndarray:
    """Make one array of those of a batch's samples, of the type that the model takes.

    Raises:
        StepInputError: they differ in shape, or in what a run takes whole.
    """
    import numpy as np

    spec, axis = placement.spec, placement.axis
    between = f"samples {names[0]} to {names[-1]} make one batch of the model, but their"
    shapes = {part.shape for part in parts}
    if len(shapes) > 1:
        raise StepInputError(
            f"{between} `{spec.name}` differ in shape: {sorted(shapes)}",
            hint="resize or crop the samples to one shape",
        )
    if axis is None:
        if any(not np.array_equal(part, parts[0]) for part in parts[1:]):
            raise StepInputError(
                f"{between} `{spec.name}` {list(spec.shape)}, which a run takes whole, differ",
                hint="open the batch (fix `set_dimension`), so that a run takes one sample; if an "
                f"axis counts the samples: `{quote_setting(spec.name, 'batch_axis: 0')}`",
            )
        return np.asarray(parts[0], spec.dtype)  # one number may be a scalar of NumPy
    left: Any = parts[0]
    if isinstance(left, Unfinished) and (len(parts), axis, left.dtype.name) == (1, 0, spec.dtype):
        alone: Any = left.stack()
        return cast("np.ndarray", alone)
    made = np.concatenate(parts, axis) if placement.joined else np.stack(parts, axis)
    return made.astype(spec.dtype, copy=False)


def fill_input(placement: SamplePlacement, batch: int, known: Mapping[str, int]) -> np.ndarray:
    """Make the array of an input that no sample brings; `known` are the sizes of dimensions.

    Raises:
        StepInputError: its shape is not known, or does not fit.
    """
    import numpy as np

    spec, fill = placement.spec, placement.fill or 0
    whole = placement.told.shape if placement.told else None
    wanted: Sequence[int | str] = spec.shape if whole is None else whole
    sizes = [
        batch if axis == placement.axis else known.get(size, -1) if isinstance(size, str) else size
        for axis, size in enumerate(wanted)
    ]
    if -1 in sizes or not fits(sizes, spec.shape):
        shown = ", ".join(map(str, spec.shape))
        guess = [1 if size < 0 else size for size in sizes]
        raise StepInputError(
            f"`{spec.name}` [{shown}] is filled, and no other input shows how large its axis "
            f"{sizes.index(-1)} is"
            if -1 in sizes
            else f"`{spec.name}` is filled with shape {sizes}; the model takes [{shown}]",
            hint=f"say it whole: `{quote_setting(spec.name, f'fill: {fill:g}, shape: {guess}')}`",
        )
    return np.full(sizes, fill, spec.dtype)
