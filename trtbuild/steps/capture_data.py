"""Pin a data source."""

import contextlib
import os
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from trtbuild.core.errors import CorruptObject, TrtbuildError
from trtbuild.core.needs import Needs
from trtbuild.core.options import Location
from trtbuild.core.user_code import UserCode
from trtbuild.core.values import TensorSpec
from trtbuild.core.words import join_few
from trtbuild.data import AnyDataSource
from trtbuild.data.base import DecodingSource, Manifest, Sample
from trtbuild.model.input_feeding import InputFeeding
from trtbuild.steps.base import Context, HeldElsewhere, Pinned, Ref, Step
from trtbuild.steps.held_files import demand_unchanged

if TYPE_CHECKING:
    from trtbuild.model.feeds import Feeder

__all__ = ["CaptureData", "DataInput"]

MOST_NAMES = 5
MOST_STORED_BYTES = 1 << 30
"""Of decoded pictures: 7000 of 224x224, 870 of 640x640. More are decoded anew by each step. A
number, and not what room there is: a capture is the same bytes everywhere."""


class DataInput(HeldElsewhere):
    """Captured data as another step's input: what to read, and how to reach the bytes.

    Each sample is held to the digest that its capture gave it.
    """

    source: AnyDataSource
    files: tuple[Pinned, ...]
    manifest: Ref
    stored: Ref
    """samples.npz of the capture: holds the samples where `source.captured`, or decoded ones."""
    inputs: dict[str, InputFeeding] = {}
    """What the recipe says of how some inputs are fed."""

    def make_feeder(self, inputs: Sequence[TensorSpec], context: Context) -> "Feeder":
        """Return what feeds a model with these inputs the captured samples.

        Raises:
            StepInputError: they cannot be fed.
        """
        from trtbuild.model.feeds import Feeder

        return Feeder(inputs, self.read_manifest(context).tensors, self.inputs)

    def read_manifest(self, context: Context) -> Manifest:
        """Return what the capture found: count, digests, tensors, labels."""
        return context.read(self.manifest, Manifest)

    def labels(self, context: Context) -> list[int] | None:
        """Return the label of each sample in order, or None where the data has none."""
        manifest = self.read_manifest(context)
        return list(manifest.labels) if manifest.labelled else None

    def leaves_pictures(self, context: Context) -> bool:
        """Tell whether pictures can be left for a GPU to make ready: they are stored, resized."""
        from trtbuild.data.archive import read_names
        from trtbuild.data.picture_files import PictureFiles
        from trtbuild.data.video import Video

        source = self.source
        if not isinstance(source, PictureFiles | Video) or source.preprocess.dtype == "uint8":
            return False
        return bool(read_names(context.path(self.stored)))

    def samples(self, context: Context, *, leave: bool = False) -> Iterator[Sample]:
        """Yield the captured samples in order, a few in memory at a time.

        Each is held to the digest that the capture gave it, but pictures that are to be left for a
        GPU to make ready: the store answers for these pixels.

        Raises:
            CorruptObject: a file changed since, or decodes to something else here.
        """
        from trtbuild.data.survey import digest_of_sample

        manifest = self.read_manifest(context)
        digests = manifest.samples
        # The code behind captured samples may change: what it once yielded is what is read.
        suspects = () if self.source.captured else self.files
        read = 0
        with (
            _suspect_changes(suspects),
            contextlib.closing(self._read(context, leave=leave)) as samples,
        ):
            for sample in _label(samples, manifest.labels):
                known = read < len(digests)
                if not known or not (leave or digest_of_sample(sample) == digests[read]):
                    raise _different(sample.name)
                read += 1
                yield sample
            if read < len(digests):
                raise _different(f"the sample after the first {read}")

    def _read(self, context: Context, *, leave: bool) -> Generator[Sample]:
        from trtbuild.data.archive import LABEL, read_names, read_samples
        from trtbuild.data.prefetch import map_in_order

        source, stored = self.source, context.path(self.stored)
        if source.captured:
            raw = read_samples(stored, labels=source.labels, name_of=source.name_of)
            yield from map(source.prepare, raw)
            return
        if isinstance(source, DecodingSource) and (names := read_names(stored)):
            decoded = read_samples(stored, labels=LABEL, name_of=names.__getitem__)
            if leave:
                yield from _leave(source, decoded)
                return
            yield from map_in_order(source.finish, decoded, threads=min(2, _threads(context)))
            return
        yield from source.samples(_paths(self.files, context), threads=_threads(context))


def _leave(source: Any, decoded: Iterable[Sample]) -> Iterator[Sample]:
    """Yield samples whose picture is left for a GPU to make ready."""
    from trtbuild.data.on_gpu.finishing import PictureFinishing

    finishing = PictureFinishing(source.preprocess, resized=True)
    for sample in decoded:
        left: Any = finishing.leave(sample.arrays[source.input])
        yield replace(sample, arrays={source.input: left})


class CaptureData(Step):
    """Read every sample once and write down what it is.

    Store what no digest can promise, and what has been decoded.
    """

    version: ClassVar[int] = 6
    outputs: ClassVar[Mapping[str, str]] = {"manifest": "manifest.json", "samples": "samples.npz"}

    kind: Literal["capture_data"] = "capture_data"
    source: AnyDataSource
    files: tuple[Pinned, ...]
    labels: tuple[int, ...] = ()
    """The class of each sample, where the places of the files tell."""
    base: Location = ""
    """The folder that paths in the recipe relate to."""

    def fact_names(self) -> tuple[str, ...]:
        """Name the packages that decode pictures, and those that the source names."""
        return self.source.fact_names()

    def user_code(self) -> UserCode | None:
        """Say what code yields the samples, where code does."""
        if not self.source.captured:
            return None
        return UserCode(
            base=self.base,
            known=tuple(pinned.path for pinned in self.files),
            files=self.source.files,
            environment=self.source.environment,
            options=self.source.options,
        )

    def needs(self) -> Needs:
        """Need a process of its own where code of the user's runs."""
        return Needs(own_process=self.source.captured)

    def run(self, context: Context) -> None:
        """Write the manifest, and the samples where they must be stored."""
        from trtbuild.data.archive import LABEL, write_samples
        from trtbuild.data.survey import Survey

        for caveat in self.source.caveats:
            context.events.caveat(caveat)
        survey = Survey()
        several: list[str] = []
        total = self.source.expected(_paths(self.files, context))
        labels = self.source.labels if self.source.captured else LABEL
        keeper = _Keeper(self.out(context, "samples"))
        with (
            write_samples(
                keeper.path, labels, named=isinstance(self.source, DecodingSource)
            ) as store,
            contextlib.closing(self._read(context, store, keeper)) as samples,
        ):
            for done, sample in enumerate(samples, start=1):
                survey.add(sample)
                if sample.frames > 1:
                    several.append(f"{sample.name} ({sample.frames})")
                context.events.progress(done, total, "samples")
        if several:
            names = join_few(several, MOST_NAMES)
            context.events.warn(
                f"of files with several pictures the first is read: {names} "
                "(hint: write each picture that is to be a sample into a file of its own)"
            )
        keeper.finish()
        self.write(context, "manifest", survey.manifest(), indent=1)

    def _read(
        self, context: Context, store: Callable[[Sample], None], keeper: "_Keeper"
    ) -> Generator[Sample]:
        paths = _paths(self.files, context)
        if self.source.captured:
            for raw in self.source.raw(paths):
                store(raw)
                yield self.source.prepare(raw)
            return
        if isinstance(self.source, DecodingSource):
            samples = self._store(self.source, paths, keeper.limit(store), context)
        else:
            samples = self.source.samples(paths, threads=_threads(context))
        yield from _label(samples, self.labels)

    def _store(
        self,
        source: DecodingSource,
        paths: Sequence[Path],
        store: Callable[[Sample], None],
        context: Context,
    ) -> Iterator[Sample]:
        for sample in source.decode(paths, threads=_threads(context)):
            store(sample)
            yield source.finish(sample)


class _Keeper:
    """Stores decoded samples as long as there are not too many of them: all, or none."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._bytes = 0

    def limit(self, store: Callable[[Sample], None]) -> Callable[[Sample], None]:
        def keep(sample: Sample) -> None:
            self._bytes += sum(array.nbytes for array in sample.arrays.values())
            if self._bytes <= MOST_STORED_BYTES:
                store(sample)

        return keep

    def finish(self) -> None:
        """Write an empty archive in place of one that lacks samples."""
        from trtbuild.data.archive import write_samples

        if self._bytes > MOST_STORED_BYTES:
            with write_samples(self.path):
                pass


def _label(samples: Iterable[Sample], labels: Sequence[int]) -> Iterator[Sample]:
    """Give samples that come without a label theirs; none where there are no labels."""
    for index, sample in enumerate(samples):
        told = sample.label is not None or index >= len(labels)
        yield sample if told else replace(sample, label=labels[index])


def _paths(files: Sequence[Pinned], context: Context) -> list[Path]:
    return [context.path(pinned) for pinned in files]


def _threads(context: Context) -> int:
    return context.threads or os.cpu_count() or 1


@contextlib.contextmanager
def _suspect_changes(files: Sequence[Pinned]) -> Iterator[None]:
    """Where reading fails and one of the files has changed, say that instead."""
    try:
        yield
    except TrtbuildError:
        demand_unchanged(files)
        raise


def _different(name: str) -> CorruptObject:
    return CorruptObject(
        f"{name}: is not what was captured, though no file has changed",
        hint="are other versions of Pillow and NumPy installed where this step runs?",
    )
