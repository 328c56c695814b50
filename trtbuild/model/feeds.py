"""What a model is fed: arrays checked against its inputs, samples grouped to its batch.

Which axis of an input counts the samples is known here alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from trtbuild.core.errors import StepInputError

if TYPE_CHECKING:
    import numpy as np

    from trtbuild.core.values import TensorSpec

__all__ = ["Feed", "Feeder", "SampleLike", "demand_fit", "describe_sample", "fits", "takes"]

_FED = frozenset(
    {"float16", "float32", "float64", "bool"}
    | {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}
)
"""The dtypes that NumPy and ONNX Runtime share."""


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


class Feeder:
    """Makes feeds for a model of samples; nothing is padded or dropped, and little converted.

    Data is float32 where it comes from pictures: what the model takes in float16 is rounded to it.

    A model whose batch axis is open is fed one sample at a time, so that no sample's numbers rest
    on its neighbours, nor a result on a batch size; one with a fixed batch as many as it takes.
    """

    def __init__(self, inputs: Sequence[TensorSpec]) -> None:
        """Take the model's inputs.

        Raises:
            StepInputError: an input has no batch axis, or a type that NumPy lacks; or two have
                different fixed batches.
        """
        self.batch = _find_batch(inputs)
        """How many samples a run takes."""
        self._axes = {spec.name: _demand_batch_axis(spec) for spec in inputs}
        self._inputs = tuple(inputs)
        self._samples = tuple(map(describe_sample, inputs))

    def demand_whole_batches(
        self, count: int, *, otherwise: str = "open the batch axis (fix `set_dimension`)"
    ) -> None:
        """Refuse a number of samples that leaves a rest; `otherwise` is what else would do.

        Raises:
            StepInputError: it is no multiple of the batch.
        """
        if rest := count % self.batch:
            raise StepInputError(
                f"the model takes {self.batch} samples at once, and {count} samples are no "
                "multiple of that",
                hint=f"take {count - rest or self.batch} samples (`count`), or {otherwise}",
            )

    def feeds(self, samples: Iterable[SampleLike]) -> Iterator[Feed]:
        """Group samples, in order, into feeds.

        Raises:
            StepInputError: a sample does not fit the inputs (names both), or the samples do not
                divide into batches.
        """
        group: list[SampleLike] = []
        count = 0
        for sample in samples:
            self._check(sample)
            group.append(sample)
            count += 1
            if len(group) == self.batch:
                yield self._stack(group)
                group = []
        self.demand_whole_batches(count)

    def _check(self, sample: SampleLike) -> None:
        for told in _find_misfits(sample.arrays, self._samples, "the model", rounding=True):
            raise StepInputError(
                f"sample {sample.name}: {told}",
                hint="a sample holds an array a model input, without the batch axis; nothing but "
                "float32 to float16 is converted: look at the names and the preprocessing",
            )

    def _stack(self, group: Sequence[SampleLike]) -> Feed:
        import numpy as np

        arrays = {}
        for spec in self._inputs:
            parts = [sample.arrays[spec.name] for sample in group]
            shapes = {part.shape for part in parts}
            if len(shapes) > 1:
                raise StepInputError(
                    f"samples {group[0].name} to {group[-1].name} make one batch of the model, "
                    f"but their `{spec.name}` differ in shape: {sorted(shapes)}",
                    hint="resize or crop the samples to one shape",
                )
            stacked = np.stack(parts, axis=self._axes[spec.name])
            arrays[spec.name] = stacked.astype(spec.dtype, copy=False)
        return Feed(tuple(sample.name for sample in group), arrays)


def describe_sample(spec: TensorSpec) -> TensorSpec:
    """Return what one sample holds for an input: the same without its batch axis."""
    axis = _find_batch_axis(spec)
    if axis is None:
        return spec
    return spec.model_copy(update={"shape": spec.shape[:axis] + spec.shape[axis + 1 :]})


def fits(shape: Sequence[int | str], wanted: Sequence[int | str]) -> bool:
    """Tell whether a shape has as many axes as wanted, and the sizes that are not left open."""
    return len(shape) == len(wanted) and all(
        isinstance(size, str) or size == given for size, given in zip(wanted, shape, strict=True)
    )


def takes(wanted: str, given: str) -> bool:
    """Tell whether samples of a dtype can be fed to an input of another: see `Feeder`."""
    return given == wanted or (wanted, given) == ("float16", "float32")


def demand_fit(feed: Mapping[str, np.ndarray], specs: Sequence[TensorSpec], *, of: str) -> None:
    """Demand an array for every input, of its dtype and shape, and none beside; `of` has them.

    Raises:
        StepInputError: names the first array that does not fit, and what would.
    """
    for told in _find_misfits(feed, specs, of):
        raise StepInputError(told, hint="an array a model input, batch axis first")


def _find_misfits(
    arrays: Mapping[str, np.ndarray],
    specs: Sequence[TensorSpec],
    of: str,
    *,
    rounding: bool = False,
) -> Iterator[str]:
    names = [spec.name for spec in specs]
    for name in sorted(arrays.keys() - set(names)):
        yield f"`{name}` is no input of {of}, which has {', '.join(names) or 'none'}"
    for spec in specs:
        array = arrays.get(spec.name)
        if array is None:
            yield f"there is no array for the input `{spec.name}`"
            continue
        given = array.dtype.name
        right = takes(spec.dtype, given) if rounding else given == spec.dtype
        if not (right and fits(array.shape, spec.shape)):
            wanted = ", ".join(map(str, spec.shape))
            yield (
                f"`{spec.name}` is {given} {list(array.shape)}; it must be {spec.dtype} [{wanted}]"
            )


def _find_batch_axis(spec: TensorSpec) -> int | None:
    """Return the axis of an input that counts the samples; None where it has none."""
    return 0 if spec.shape else None


def _demand_batch_axis(spec: TensorSpec) -> int:
    axis = _find_batch_axis(spec)
    if axis is None:
        raise StepInputError(
            f"input `{spec.name}` is a single number and has no batch axis",
            hint="axis 0 of every input must be the batch; make this one a constant",
        )
    return axis


def _find_batch(inputs: Sequence[TensorSpec]) -> int:
    """Return how many samples a model takes at once: 1 where it leaves that open."""
    for spec in inputs:
        if spec.dtype not in _FED:
            raise StepInputError(
                f"input `{spec.name}` is {spec.dtype}; NumPy has no such array",
                hint="export the model with an input of another type",
            )
    sizes = {
        size for spec in inputs if isinstance(size := spec.shape[_demand_batch_axis(spec)], int)
    }
    if len(sizes) > 1:
        shown = ", ".join(f"`{spec.name}` {list(spec.shape)}" for spec in inputs)
        raise StepInputError(
            f"the model's inputs disagree on the batch: {shown}",
            hint="axis 0 of every input must be the batch",
        )
    return max(sizes, default=1)
