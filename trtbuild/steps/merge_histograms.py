"""Find the ranges from the shards of a calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from trtbuild.calib import Calibrator
from trtbuild.calib.histogram import Histogram
from trtbuild.calib.overrides import assign_calibrators
from trtbuild.calib.ranges import ranges_from_histograms, remark_on_histograms
from trtbuild.calib.shards import Shard, read_shard
from trtbuild.core.errors import StepInputError
from trtbuild.data.base import Manifest
from trtbuild.steps.base import Context, Ref, Step
from trtbuild.steps.calibrate import check_count, choose_workers

__all__ = ["MergeHistograms"]


class MergeHistograms(Step):
    """Merge the histograms of all shards and reduce each tensor to a range, as `calibrate` does."""

    version: ClassVar[int] = 2
    outputs: ClassVar[Mapping[str, str]] = {"ranges": "ranges.json"}

    kind: Literal["merge_histograms"] = "merge_histograms"
    parts: Annotated[tuple[Ref, ...], Field(min_length=1)]
    """The histograms of each shard, in any order."""
    manifest: Ref
    """The manifest of the data: so many samples must have been consumed."""
    calibrator: Calibrator
    overrides: dict[str, Calibrator] = {}
    """Tensor name or pattern → the calibrator that it gets instead."""

    def fact_names(self) -> tuple[str, ...]:
        """NumPy computes the search."""
        return ("numpy",)

    def run(self, context: Context) -> None:
        """Write ranges.json, byte for byte what `calibrate` writes.

        Raises:
            StepInputError: the parts are not all shards of one calibration.
        """
        shards = [read_shard(context.path(part)) for part in self.parts]
        histograms = _merge(shards)
        samples = sum(shard.samples for shard in shards)
        manifest = context.read(self.manifest, Manifest)
        check_count(samples, manifest.count)
        for remark in remark_on_histograms(histograms):
            context.events.note(remark)
        ranges = ranges_from_histograms(
            histograms,
            assign_calibrators(histograms, self.calibrator, self.overrides),
            samples=samples,
            workers=choose_workers(context),
        )
        self.write(context, "ranges", ranges)


def _merge(shards: Sequence[Shard]) -> dict[str, Histogram]:
    """Merge shards that are, between them, one whole calibration."""
    first, *rest = shards
    found = sorted((shard.index, shard.count) for shard in shards)
    if found != [(index, len(shards)) for index in range(1, len(shards) + 1)]:
        parts = ", ".join(f"{index}/{count}" for index, count in found)
        raise StepInputError(
            f"these are not all shards of one calibration: {parts}",
            hint="collect every shard of one number of shards, each once",
        )
    for shard in rest:
        if shard.histograms.keys() != first.histograms.keys():
            raise StepInputError(
                f"shards {first.index} and {shard.index} observed different tensors",
                hint="collect all shards from the same model",
            )
        for name, histogram in shard.histograms.items():
            first.histograms[name].merge(histogram)
    return first.histograms
