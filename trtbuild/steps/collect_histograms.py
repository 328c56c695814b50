"""Collect one shard of a calibration, so that machines can share the work."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from trtbuild.calib.collect import collect_histograms
from trtbuild.calib.first_layers import find_doubts
from trtbuild.calib.histogram import Histogram
from trtbuild.calib.shards import Shard, write_shard
from trtbuild.steps.base import Context, Ref, Step
from trtbuild.steps.calibrate import choose_workers, open_observer
from trtbuild.steps.capture_data import DataInput

__all__ = ["CollectHistograms"]


class CollectHistograms(Step):
    """Run the model over every n-th batch and keep the histograms; `merge_histograms` follows."""

    version: ClassVar[int] = 1
    outputs: ClassVar[Mapping[str, str]] = {"histograms": "histograms.npz"}

    kind: Literal["collect_histograms"] = "collect_histograms"
    model: Ref
    data: DataInput
    shard: Annotated[int, Field(ge=1)]
    """Which part, from 1."""
    shards: Annotated[int, Field(ge=1)]
    """Into how many parts the samples are dealt, batch by batch."""
    everything: bool = False
    """Collect every tensor, as implicit quantization wants, not only those that Q/DQ pairs need."""

    @model_validator(mode="after")
    def _is_one_of_them(self) -> Self:
        if self.shard > self.shards:
            raise ValueError(f"there is no shard {self.shard} of {self.shards}")
        return self

    def fact_names(self) -> tuple[str, ...]:
        """ONNX Runtime computes the values, NumPy the bins."""
        return ("numpy", "onnxruntime")

    def run(self, context: Context) -> None:
        """Write histograms.npz.

        Raises:
            StepInputError: as `calibrate`.
        """
        observer, firsts = open_observer(context.path(self.model), everything=self.everything)
        histograms = {name: Histogram() for name in observer.tensors}
        feeds = observer.feeder.feeds(self.data.samples(context))
        samples = collect_histograms(
            observer,
            itertools.islice(feeds, self.shard - 1, None, self.shards),
            histograms,
            workers=choose_workers(context),
            progress=lambda done: context.events.progress(done, 0, "samples"),
        )
        for remark in find_doubts(firsts, histograms):
            context.events.note(remark)
        shard = Shard(self.shard, self.shards, samples, histograms)
        write_shard(self.out(context, "histograms"), shard)
