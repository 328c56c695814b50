"""Run a model over data."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from trtbuild.backends.model import OnnxModel
from trtbuild.core.arrays import write_npz
from trtbuild.core.errors import StepInputError
from trtbuild.core.values import TensorSpec
from trtbuild.data.base import Sample
from trtbuild.model.fit import fits
from trtbuild.model.runner import open_runner
from trtbuild.steps.base import Context, Ref, Step
from trtbuild.steps.capture_data import DataInput

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Infer"]

WIDER = (
    "FP16 is computed in FP32 here: on a CPU, ONNX Runtime drops the casts between FP16 layers, so "
    "what overflows or is rounded between them does not show"
)


class Infer(Step):
    """Run a model over every sample and keep its outputs, one array an output."""

    version: ClassVar[int] = 2
    outputs: ClassVar[Mapping[str, str]] = {"outputs": "outputs.npz"}

    kind: Literal["infer"] = "infer"
    model: Ref
    data: DataInput
    reference: bool = False
    """Others are compared with this run: then a NaN is an error, and else a note."""

    def fact_names(self) -> tuple[str, ...]:
        """Name the facts that may change what this step makes."""
        return ("onnxruntime",)

    def run(self, context: Context) -> None:
        """Write outputs.npz: for each output an array whose axis 0 is the samples.

        A model with an open batch axis sees one sample at a time, so that no sample's numbers
        rest on its neighbours; one with a fixed batch sees as many as it takes.

        Raises:
            StepInputError: a sample does not fit an input, or an output cannot be kept.
        """
        path = context.path(self.model)
        model = OnnxModel.read(path)
        inputs = model.inputs
        batch = _batch_of(inputs)
        total = self.data.read_manifest(context).count
        _demand_whole_batches(total, batch)
        kept = _KeptOutputs(reference=self.reference)
        with (
            open_runner(path, threads=context.threads, mapped=model.split) as infer,
            write_npz(self.out(context, "outputs")) as file,
        ):
            done = 0
            for group in _groups(self.data.samples(context), batch):
                for name, rows in kept.rows(infer(self._feed_dict(group, inputs)), group):
                    file.append(name, rows)
                done += len(group)
                context.events.progress(done, total, "samples")
        if _has_half(model):
            context.events.note(WIDER)
        for note in kept.notes():
            context.events.note(note)

    def _feed_dict(
        self, group: Sequence[Sample], inputs: Sequence[TensorSpec]
    ) -> dict[str, np.ndarray]:
        """Stack samples; what a candidate takes in float16 is rounded to it."""
        import numpy as np

        for sample in group:
            _demand_fit(sample, inputs, rounded=not self.reference)
        return {
            spec.name: np.stack([sample.arrays[spec.name] for sample in group]).astype(
                spec.dtype, copy=False
            )
            for spec in inputs
        }


def _has_half(model: OnnxModel) -> bool:
    """Tell whether a model computes in float16: it takes it, or casts to it."""
    import onnx

    half = onnx.TensorProto.FLOAT16
    return any(spec.dtype == "float16" for spec in model.inputs) or any(
        node.op_type == "Cast" and any(each.i == half for each in node.attribute)
        for node in model.nodes
    )


def _batch_of(inputs: Sequence[TensorSpec]) -> int:
    """Return how many samples the model takes at once."""
    for spec in inputs:
        if not spec.shape:
            raise StepInputError(
                f"input `{spec.name}` is a single number and has no batch axis",
                hint="axis 0 of every input must be the batch; make this one a constant",
            )
    sizes = {size for spec in inputs if isinstance(size := spec.shape[0], int)}
    if len(sizes) > 1:
        shown = ", ".join(f"`{spec.name}` {list(spec.shape)}" for spec in inputs)
        raise StepInputError(
            f"the model's inputs disagree on the batch: {shown}",
            hint="axis 0 of every input must be the batch",
        )
    return max(sizes, default=1)


def _demand_whole_batches(count: int, batch: int) -> None:
    if count % batch:
        raise StepInputError(
            f"the model takes {batch} samples at once, and {count} samples are no multiple of that",
            hint=f"take {count - count % batch or batch} samples, or open the batch axis "
            "(fix set_dimension)",
        )


def _groups(samples: Iterator[Sample], size: int) -> Iterator[list[Sample]]:
    while group := list(itertools.islice(samples, size)):
        yield group


def _demand_fit(sample: Sample, inputs: Sequence[TensorSpec], *, rounded: bool) -> None:
    for spec in inputs:
        array = sample.arrays.get(spec.name)
        if array is None:
            raise StepInputError(
                f"{sample.name}: has no array for input `{spec.name}`",
                hint="it has: " + (", ".join(sample.arrays) or "none"),
            )
        wanted = spec.shape[1:]
        halved = rounded and (array.dtype.name, spec.dtype) == ("float32", "float16")
        if not fits(array.shape, wanted) or (array.dtype.name != spec.dtype and not halved):
            raise StepInputError(
                f"{sample.name}: is {array.dtype.name} {list(array.shape)}, but input "
                f"`{spec.name}` takes {spec.dtype} [{', '.join(map(str, wanted))}]",
                hint="look at the data's preprocessing",
            )


class _KeptOutputs:
    """What was kept of each output, and what was odd about it."""

    def __init__(self, *, reference: bool) -> None:
        self._reference = reference
        self._shapes: dict[str, tuple[int, ...]] = {}
        self._odd: dict[str, list[str]] = {}

    def rows(
        self, outputs: Mapping[str, np.ndarray], group: Sequence[Sample]
    ) -> Iterator[tuple[str, np.ndarray]]:
        """Yield each output as rows, a row a sample."""
        for name, values in outputs.items():
            rows = _rows(name, values, len(group))
            known = self._shapes.setdefault(name, rows.shape[1:])
            if rows.shape[1:] != known:
                raise StepInputError(
                    f"output `{name}` has shape {list(rows.shape[1:])} for {group[0].name}, and "
                    f"{list(known)} for the samples before",
                    hint="outputs whose size depends on the data cannot be compared",
                )
            self._look_at(name, rows, group)
            yield name, rows

    def _look_at(self, name: str, rows: np.ndarray, group: Sequence[Sample]) -> None:
        import numpy as np

        if rows.dtype.kind != "f" or np.isfinite(rows).all():
            return
        for row, sample in zip(rows, group, strict=True):
            if self._reference and np.isnan(row).any():
                raise StepInputError(
                    f"output `{name}` of the reference is NaN for {sample.name}: nothing can be "
                    "compared with it",
                    hint="look at that sample, and at the model's weights",
                )
            if not np.isfinite(row).all():
                self._odd.setdefault(name, []).append(sample.name)

    def notes(self) -> Iterator[str]:
        """Say for which samples an output holds values that are not finite."""
        for name, samples in self._odd.items():
            yield (
                f"output `{name}` holds NaN or infinite values for {len(samples)} samples "
                f"(the first: {samples[0]})"
            )


def _rows(name: str, values: np.ndarray, count: int) -> np.ndarray:
    """Return an output with axis 0 = samples; one without a batch axis is one sample's whole."""
    if values.dtype.kind not in "biuf":
        raise StepInputError(
            f"output `{name}` holds {values.dtype}, which is no number and cannot be compared"
        )
    if values.ndim and values.shape[0] == count:
        return values
    if count == 1:
        return values[None]
    raise StepInputError(
        f"output `{name}` has shape {list(values.shape)} for a batch of {count}",
        hint="axis 0 of every output must be the batch",
    )
