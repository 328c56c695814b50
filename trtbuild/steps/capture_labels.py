"""Bring labels that are arrays into what the model takes: boxes, masks, pictures, tokens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from trtbuild.core.arrays import ArrayFile, RaggedRows, write_npz
from trtbuild.core.errors import StepInputError
from trtbuild.core.options import Options
from trtbuild.core.values import TensorSpec
from trtbuild.data import pixels
from trtbuild.data.picture_files import PictureFiles
from trtbuild.data.truths.base import tells_classes
from trtbuild.data.truths.beside import read_beside
from trtbuild.steps.base import Context, Pinned, Step
from trtbuild.steps.capture_data import DataInput
from trtbuild.steps.held_files import demand_unchanged

if TYPE_CHECKING:
    import numpy as np

__all__ = ["CaptureLabels", "LabelFile", "Truths"]

LABELS = "labels"


class LabelFile(Options):
    """A file of labels, by a name that is the same anywhere."""

    name: str
    file: Pinned


class CaptureLabels(Step):
    """Write down the label of each sample where labels are arrays; nothing where they are classes.

    Boxes and masks of pictures are moved as `preprocess` moves the pictures.
    """

    version: ClassVar[int] = 3
    outputs: ClassVar[Mapping[str, str]] = {"labels": "labels.npz"}

    kind: Literal["capture_labels"] = "capture_labels"
    data: DataInput
    pictures: tuple[str, ...] = ()
    """The path of each picture below its folder: labels in files are found by it."""
    files: tuple[LabelFile, ...] = ()

    def fact_names(self) -> tuple[str, ...]:
        """Name the packages that read label files."""
        source = self.data.source
        kind = source.find_label_kind() if isinstance(source, PictureFiles) else None
        return ("numpy",) if kind is None or tells_classes(kind) else tuple(kind.facts)

    def run(self, context: Context) -> None:
        """Write labels.npz: one array, ragged, with a row for each sample; empty without any.

        Raises:
            StepInputError: a label cannot be read, or differs in kind from those before.
            CorruptObject: a picture changed since the run was planned.
        """
        total = self.data.read_manifest(context).count
        with write_npz(self.out(context, "labels")) as writer:
            for done, (name, truth) in enumerate(self._read(context), start=1):
                try:
                    writer.append(LABELS, truth[None], ragged=True)
                except ValueError as error:
                    raise StepInputError(
                        f"{name}: its label is of another kind: {error}",
                        hint="all labels must have one dtype, and as many axes",
                    ) from None
                context.events.progress(done, total, "labels")

    def _read(self, context: Context) -> Iterator[tuple[str, np.ndarray]]:
        source = self.data.source
        if isinstance(source, PictureFiles):
            return self._read_files(source, context)
        return self._read_samples(context)

    def _read_files(
        self, source: PictureFiles, context: Context
    ) -> Iterator[tuple[str, np.ndarray]]:
        kind = source.find_label_kind()
        if kind is None or tells_classes(kind):
            return
        files = {each.name: context.path(each.file) for each in self.files}
        read = kind.open(files)
        bare = [name for name in self.pictures if name not in files]
        if bare and kind.without:
            told = f"{len(bare)} of {len(self.pictures)} pictures {kind.without}"
            context.events.note(f"{told} (the first: {bare[0]})")
        for name, pinned in zip(self.pictures, self.data.files, strict=True):
            demand_unchanged([pinned])
            size = pixels.measure_image(read_beside(Path(context.path(pinned)), name), name)
            yield name, read(name, source.preprocess.view(*size))

    def _read_samples(self, context: Context) -> Iterator[tuple[str, np.ndarray]]:
        import numpy as np

        manifest = self.data.read_manifest(context)
        if manifest.labelled:  # as classes, which the manifest holds
            return
        for sample in self.data.samples(context):
            if sample.truth is not None:
                yield sample.name, sample.truth
            elif sample.label is not None:  # a sequence of one among longer ones
                yield sample.name, np.array([sample.label])


class Truths:
    """The labels that were captured, a row a sample."""

    def __init__(self, path: Path, count: int) -> None:
        """Open the file of `count` samples.

        Raises:
            CorruptObject: it is torn.
        """
        file = ArrayFile(path)
        known = LABELS in file.names and file.count(LABELS) == count
        self._rows = file.read_rows(LABELS) if known else None

    @property
    def spec(self) -> TensorSpec | None:
        """What a label is, spans where they differ in size; None where there are none."""
        rows = self._rows
        if rows is None:
            return None
        shapes = rows.shapes if isinstance(rows, RaggedRows) else [rows.shape[1:]]
        sizes = ((min(axis), max(axis)) for axis in zip(*shapes, strict=True))
        shape = tuple(low if low == high else f"{low}..{high}" for low, high in sizes)
        return TensorSpec(name=LABELS, dtype=rows.dtype.name, shape=shape)

    def row(self, index: int) -> np.ndarray | None:
        """Return a sample's label."""
        rows = self._rows
        return (
            None
            if rows is None
            else rows.row(index)
            if isinstance(rows, RaggedRows)
            else rows[index]
        )
