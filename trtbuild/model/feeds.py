"""From samples to what a model is fed: checked against its inputs, grouped to its batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from trtbuild.core.errors import StepInputError
from trtbuild.core.values import TensorSpec
from trtbuild.model.fit import fits

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Feed", "SampleLike", "feeds_from_samples"]


class SampleLike(Protocol):
    """A sample: where it came from, and an array for each model input without the batch axis."""

    @property
    def name(self) -> str:
        """Where it came from, for messages."""

    @property
    def arrays(self) -> Mapping[str, np.ndarray]:
        """Array by model input."""


@dataclass(frozen=True)
class Feed:
    """What one run of the model is fed, and the samples it is made of."""

    samples: tuple[str, ...]
    arrays: dict[str, np.ndarray]


def feeds_from_samples(
    samples: Iterable[SampleLike], inputs: Sequence[TensorSpec], *, batch: int
) -> Iterator[Feed]:
    """Group samples, in order, into feeds of `batch`; nothing is converted, padded or dropped.

    Raises:
        StepInputError: a sample does not fit the inputs (names both), or the samples do not
            divide into batches.
    """
    group: list[SampleLike] = []
    for sample in samples:
        _check(sample, inputs)
        group.append(sample)
        if len(group) == batch:
            yield _feed(group, inputs)
            group = []
    if group:
        raise StepInputError(
            f"the model's batch is fixed at {batch}, and {len(group)} samples are left over "
            f"after the last whole batch (from {group[0].name} on)",
            hint=f"set the data's `count` to a multiple of {batch}, "
            "or make the model's batch dimension dynamic (fix `set_dimension`)",
        )


def _feed(group: Sequence[SampleLike], inputs: Sequence[TensorSpec]) -> Feed:
    import numpy as np

    arrays = {}
    for spec in inputs:
        parts = [sample.arrays[spec.name] for sample in group]
        shapes = {part.shape for part in parts}
        if len(shapes) > 1:
            raise StepInputError(
                f"samples {group[0].name} to {group[-1].name} make one batch of the model, "
                f"but their `{spec.name}` differ in shape: {sorted(shapes)}",
                hint="resize or crop the samples to one shape",
            )
        arrays[spec.name] = np.stack(parts)
    return Feed(tuple(sample.name for sample in group), arrays)


def _check(sample: SampleLike, inputs: Sequence[TensorSpec]) -> None:
    wanted, given = [spec.name for spec in inputs], list(sample.arrays)
    if set(wanted) != set(given):
        raise StepInputError(
            f"sample {sample.name} holds {_names(given)}; the model's inputs are {_names(wanted)}",
            hint="name the arrays of the data as the model names its inputs",
        )
    for spec in inputs:
        array = sample.arrays[spec.name]
        if array.dtype.name != spec.dtype:
            raise StepInputError(
                f"sample {sample.name}: `{spec.name}` is {array.dtype.name}; "
                f"the model's input is {spec.dtype}",
                hint=f"store or preprocess the data as {spec.dtype}; nothing is converted silently",
            )
        if not fits(array.shape, spec.shape[1:]):
            raise StepInputError(
                f"sample {sample.name}: `{spec.name}` has shape {list(array.shape)}; "
                f"the model's input has {list(spec.shape)}, batch axis first",
                hint="change the data's preprocessing, or the model's input shape",
            )


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names)) or "nothing"
