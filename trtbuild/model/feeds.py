"""What a model is fed: arrays checked against its inputs, samples grouped to its batch.

How samples become the array of an input is decided in `batching`, and done here alone.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from trtbuild.core.errors import StepInputError
from trtbuild.core.frozen import frozen
from trtbuild.model.batching import arrange, fits, quote_setting
from trtbuild.model.shapes import is_named
from trtbuild.model.stacking import NamedSizes, fill_input, join_samples

if TYPE_CHECKING:
    import numpy as np

    from trtbuild.core.values import TensorSpec
    from trtbuild.model.input_feeding import InputFeeding

__all__ = ["Feed", "Feeder", "SampleLike", "demand_fit", "takes"]

_FED = frozenset(
    {"float16", "float32", "float64", "bool"}
    | {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}
)
"""The dtypes that NumPy and ONNX Runtime share."""


class SampleLike(Protocol):
    """A sample: where it came from, and an array for each model input that is not filled."""

    @property
    def name(self) -> str:
        """Where it came from, for messages."""

    @property
    def arrays(self) -> Mapping[str, np.ndarray]:
        """Array by model input."""


@frozen
class Feed:
    """What one run of the model is fed, and the samples it is made of."""

    samples: tuple[str, ...]
    arrays: dict[str, np.ndarray]

    @property
    def named(self) -> str:
        """Its samples in words."""
        first, *rest = self.samples
        return f"the batch {first} to {rest[-1]}" if rest else f"sample {first}"

    def finish(self) -> dict[str, np.ndarray]:
        """Return its arrays, those of pictures computed that are left for a GPU to make ready."""
        import numpy as np

        return {name: np.asarray(each) for name, each in self.arrays.items()}

    @contextlib.contextmanager
    def blamed(self) -> Iterator[None]:
        """Say in an error which samples, of which shapes, the model was run on."""
        try:
            yield
        except StepInputError as error:
            shapes = ", ".join(f"`{name}` {list(each.shape)}" for name, each in self.arrays.items())
            told = f"{self.named} ({shapes}): {error.message}"
            raise StepInputError(told, hint=error.hint) from error


class Feeder:
    """Makes feeds for a model of samples; nothing is padded or dropped, and little converted.

    Data is float32 where it comes from pictures: what the model takes in float16 is rounded to it.

    A model whose batch axis is open is fed one sample at a time, so that no sample's numbers rest
    on its neighbours, nor a result on a batch size; one with a fixed batch as many as it takes.
    Samples may differ in the sizes that the model leaves open, but not within a fixed batch.
    """

    def __init__(
        self,
        inputs: Sequence[TensorSpec],
        given: Sequence[TensorSpec] = (),
        told: Mapping[str, InputFeeding] | None = None,
    ) -> None:
        """Take the model's inputs, what a sample brings, and what the recipe says of inputs.

        Without `given`, a sample is taken to lack the batch axis.

        Raises:
            StepInputError: which axis of an input counts the samples is not known, an input is of
                a type that NumPy lacks, or two have different fixed batches.
        """
        _demand_known_types(inputs)
        shapes = {spec.name: spec.shape for spec in given}
        for name in shapes:
            if told and name in told and told[name].fill is not None:
                raise StepInputError(
                    f"the input `{name}` is filled (`inputs`), and the samples bring it too",
                    hint="leave it out of the samples, or `fill` out of the recipe",
                )
        self.placements, self.batch = arrange(inputs, shapes or None, told)
        """How samples become each input's array; how many samples a run takes."""
        self.samples = tuple(
            each.spec.model_copy(update={"shape": each.sample})
            for each in self.placements
            if each.fill is None
        )
        """What a sample must hold."""

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

    def find_batch_axis(self, output: TensorSpec) -> int | None:
        """Return the axis of an output that counts the samples; None where a run makes one whole.

        The dimension that counts them in the inputs, by its name or in an input of the same shape;
        or else axis 0.
        """
        counting = {each.spec.shape[each.axis] for each in self.placements if each.axis is not None}
        names = {size for size in counting if isinstance(size, str) and is_named(size)}
        placed = [each for each in self.placements if each.axis is not None]
        alike = [each.axis for each in placed if each.spec.shape == output.shape]
        named = [axis for axis, size in enumerate(output.shape) if size in names]
        if alike or named:
            return (*alike, *named)[0]
        first = output.shape[0] if output.shape else 0
        other = isinstance(first, str) and is_named(first) and bool(names)
        return None if other or not output.shape else 0

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
        for told in _find_misfits(sample.arrays, self.samples, "the model", rounding=True):
            raise StepInputError(
                f"sample {sample.name}: {told}",
                hint=self._suggest_whole(sample)
                or "a sample holds an array a model input, without the batch axis or with one of "
                "size 1; nothing but float32 to float16 is converted: look at the names and the "
                "preprocessing",
            )

    def _suggest_whole(self, sample: SampleLike) -> str:
        """Name the input that samples bring whole, if the axis taken for the batch is no batch."""
        for each in self.placements:
            array = sample.arrays.get(each.spec.name)
            if array is None or each.axis is None or not fits(array.shape, each.spec.shape):
                continue
            if array.shape[each.axis] != 1:
                line = quote_setting(each.spec.name, "batch_axis: none")
                return (
                    f"axis {each.axis} is taken to count the samples, of which this is one; if it "
                    f"counts something else, write `{line}`"
                )
        return ""

    def _stack(self, group: Sequence[SampleLike]) -> Feed:
        arrays, sizes = {}, NamedSizes(group[0].name)
        for placement in self.placements:
            name = placement.spec.name
            if placement.fill is None:
                parts = [sample.arrays[name] for sample in group]
                arrays[name] = join_samples(placement, parts, [sample.name for sample in group])
                sizes.add(placement.spec, arrays[name].shape)
        for placement in self.placements:
            if placement.fill is not None:
                arrays[placement.spec.name] = fill_input(placement, self.batch, sizes.known)
        ordered = {each.spec.name: arrays[each.spec.name] for each in self.placements}
        return Feed(tuple(sample.name for sample in group), ordered)


def takes(wanted: str, given: str) -> bool:
    """Tell whether samples of a dtype can be fed to an input of another: see `Feeder`."""
    return given == wanted or (wanted, given) == ("float16", "float32")


def demand_fit(feed: Mapping[str, np.ndarray], specs: Sequence[TensorSpec], *, of: str) -> None:
    """Demand an array for every input, of its dtype and shape, and none beside; `of` has them.

    Raises:
        StepInputError: names the first array that does not fit, and what would.
    """
    for told in _find_misfits(feed, specs, of):
        raise StepInputError(told, hint="an array a model input, with all its axes")


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


def _demand_known_types(inputs: Sequence[TensorSpec]) -> None:
    for spec in inputs:
        if spec.dtype not in _FED:
            raise StepInputError(
                f"input `{spec.name}` is {spec.dtype}; NumPy has no such array",
                hint="export the model with an input of another type",
            )
