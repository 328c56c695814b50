"""Pin a data source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

from trtbuild.core.options import Location, Options
from trtbuild.data import Source
from trtbuild.data.base import Sample
from trtbuild.steps.base import Context, Pinned, Ref, Step

__all__ = ["CaptureData", "DataInput"]


class DataInput(Options):
    """Captured data as another step's input: what to read, and how to reach the bytes."""

    source: Source
    files: tuple[Pinned, ...]
    base: Location
    manifest: Ref
    stored: Ref
    """samples.npz of the capture: holds the samples where `source.captured`."""

    def samples(self, context: Context) -> Iterator[Sample]:
        """Yield the captured samples in order; a file that changed since is an error."""
        raise NotImplementedError


class CaptureData(Step):
    """Read every sample once: count, digest, dtypes and shapes; store what no digest can promise."""

    version: ClassVar[int] = 1
    outputs: ClassVar[Mapping[str, str]] = {"manifest": "manifest.json", "samples": "samples.npz"}

    kind: Literal["capture_data"] = "capture_data"
    source: Source
    files: tuple[Pinned, ...]
    base: Location

    def run(self, context: Context) -> None:
        """Write the manifest, and the samples where they must be stored."""
        raise NotImplementedError
