"""Take some samples of a data set out, decoded, for steps that read them again and again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from trtbuild.core.sensitivity import PickedSamples
from trtbuild.data.archive import write_samples
from trtbuild.steps.base import Context, Step
from trtbuild.steps.capture_data import DataInput

__all__ = ["PickSamples"]


class PickSamples(Step):
    """Store so many samples, spread evenly over the data, since it may lie sorted by class."""

    outputs: ClassVar[Mapping[str, str]] = {"samples": "samples.npz", "picked": "picked.json"}

    kind: Literal["pick_samples"] = "pick_samples"
    data: DataInput
    count: Annotated[int, Field(ge=1)]
    """How many; all where the data holds no more."""

    def run(self, context: Context) -> None:
        """Write samples.npz, and what they are."""
        manifest = self.data.read_manifest(context)
        total = manifest.count
        count = min(self.count, total)
        wanted = {index * total // count for index in range(count)} if count else set()
        names, labels = [], []
        with write_samples(self.out(context, "samples")) as store:
            for index, sample in enumerate(self.data.samples(context)):
                if index in wanted:
                    store(sample)
                    names.append(sample.name)
                    labels += [] if sample.label is None else [sample.label]
                context.events.progress(index + 1, total, "samples")
        picked = PickedSamples(
            of=total,
            names=tuple(names),
            places=tuple(sorted(wanted)),
            digests=tuple(manifest.samples[index] for index in sorted(wanted)),
            labels=tuple(labels) if len(labels) == len(names) else (),
        )
        self.write(context, "picked", picked, indent=1)
