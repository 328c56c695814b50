"""Sample, Manifest, and what every data source does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

from trtbuild.core.options import Options
from trtbuild.core.values import TensorSpec

if TYPE_CHECKING:
    import numpy as np

__all__ = ["DataSource", "Manifest", "Sample"]


@dataclass(frozen=True)
class Sample:
    """One sample: an array for each model input, without the batch axis."""

    name: str
    """Where it came from (`cat.jpg`, `eval.npz[3]`), for messages."""
    arrays: dict[str, np.ndarray]
    label: int | None = None


class Manifest(Options):
    """What a data source was found to hold, in order: what a run's numbers rest on."""

    count: int
    samples: tuple[str, ...]
    """A digest for each sample."""
    tensors: tuple[TensorSpec, ...]
    """Name, dtype and shape of each array of a sample, without the batch axis."""
    labelled: bool


class DataSource(Protocol):
    """A kind of data: which files it reads, and the samples in them."""

    kind: str
    captured: ClassVar[bool]
    """True where no digest of files can promise the samples: they are run once and stored."""

    def files(self, base: Path) -> tuple[Path, ...]:
        """Return every file to pin, in the order in which samples come; paths relate to `base`.

        Raises:
            MissingFile: there is none, or one that the recipe names is not there.
        """

    def samples(self, files: Sequence[Path]) -> Iterator[Sample]:
        """Yield the samples of the pinned files, in order, one at a time.

        Raises:
            StepInputError: a file cannot be read; says which and why.
        """
