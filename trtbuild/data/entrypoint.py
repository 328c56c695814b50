"""Samples from a Python callable; they are run once and stored."""

import itertools
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from trtbuild.core.errors import StepInputError
from trtbuild.core.options import NonEmpty, Options, VariableName
from trtbuild.core.words import quote_whole
from trtbuild.data.base import Sample
from trtbuild.data.labels import Label, read_label
from trtbuild.data.preprocess import Preprocess

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Python"]

NUMBERS = "biuf"
SHAPE = "yield {'input': array, ...} once a sample, without a batch axis"
ARRAY = "yield NumPy arrays of numbers, as np.float32 for instance"


class Python(Options):
    """A callable that yields samples: a mapping of model input (and label) to array."""

    captured: ClassVar[Literal[True]] = True
    caveats: ClassVar[tuple[str, ...]] = ()

    kind: Literal["python"]
    entrypoint: NonEmpty
    """`path/to/file.py:callable`, relative to the recipe, or `package.module:callable`. It is
    called with `options` and returns or yields mappings, one a sample, without a batch axis. What
    it reads and imports counts; paths are best relative to its `__file__`."""
    options: dict[str, int | float | str | bool] = {}
    """Keyword arguments for the callable; none by default."""
    files: tuple[NonEmpty, ...] = ()
    """Files and folders, relative to the recipe, that the code reads: whatever of them changes runs
    it again. What it is seen to read counts anyway; this is for what a library reads by itself."""
    packages: tuple[str, ...] = ()
    """Installed packages (as pip names them) whose version may change the samples: another version
    runs the callable again. Those that its code imports count anyway. None by default."""
    environment: tuple[VariableName, ...] = ()
    """Variables of the environment that the code is given, and whose values count; of others it
    only sees those that every program needs (`PATH`, `HOME`, `LANG`, ...). None by default."""
    input: NonEmpty = "input"
    """The key of the picture that `preprocess` is for; without `preprocess` it means nothing."""
    labels: NonEmpty | None = None
    """The key of each sample's label, which is no model input: its class (a whole number from 0),
    or an array of what should come out (boxes, a mask, a picture, tokens); none by default."""
    count: Annotated[int, Field(gt=0)] | None = None
    """How many samples to take: the first ones; fewer yielded are an error. All by default."""
    preprocess: Preprocess | None = None
    """How the array `input`, a picture [height, width, channels], becomes what the model takes; by
    default it is taken as it is. What is stored is the picture."""

    def find_files(self, base: Path) -> tuple[Path, ...]:
        """Return the callable's source file, then every module it imports from beside it.

        Raises:
            MissingFile: there is no such file or module.
        """
        from trtbuild.core.entrypoint import find_source_files

        return find_source_files(self.entrypoint, base)

    def find_labels(self, base: Path) -> tuple[int, ...]:  # noqa: ARG002  # names tell none
        """Return none: they come with the samples, if at all."""
        return ()

    def samples(self, files: Sequence[Path], *, threads: int = 1) -> Iterator[Sample]:  # noqa: ARG002  # the user's code runs in one
        """Run the callable and yield its samples, preprocessed.

        Raises:
            StepInputError: it raises, or yields what is no sample; says where.
        """
        return map(self.prepare, self.raw(files))

    def raw(self, files: Sequence[Path]) -> Iterator[Sample]:
        """Run the callable and yield its samples as they are, to be stored.

        Raises:
            StepInputError: it raises, or yields what is no sample, or too few; says where.
        """
        taken = 0
        for taken, item in enumerate(self._run(files), start=1):
            yield self._sample(item, self.name_of(taken - 1))
        if taken == 0:
            raise StepInputError(f"{self._place}: yields no samples", hint=SHAPE)
        if self.count is not None and taken < self.count:
            raise StepInputError(
                f"{self._place}: yields {taken} samples, and `count` asks for {self.count}",
                hint=f"lower `count` to {taken}, or let the callable yield more",
            )

    def prepare(self, sample: Sample) -> Sample:
        """Return a sample as the model takes it: its `input` preprocessed.

        Raises:
            StepInputError: its `input` is no picture.
        """
        if self.preprocess is None:
            return sample
        if self.input not in sample.arrays:
            raise StepInputError(
                f"{sample.name}: has no `{self.input}` to preprocess",
                hint=f"its keys: {', '.join(sample.arrays)}",
            )
        array = self.preprocess.apply(sample.arrays[self.input], sample.name)
        return replace(sample, arrays={**sample.arrays, self.input: array})

    def expected(self, files: Sequence[Path]) -> int:  # noqa: ARG002  # shows only in running
        """Return `count`, or 0."""
        return self.count or 0

    def fact_names(self) -> tuple[str, ...]:
        """Pictures are resized by Pillow; what else matters, the recipe says."""
        ours = {"numpy", "pillow"} if self.preprocess else {"numpy"}
        return tuple(sorted({*ours, *self.packages}))

    def name_of(self, index: int) -> str:
        """Return what messages call a sample."""
        return f"{self._place}[{index}]"

    @property
    def _place(self) -> str:
        return self.entrypoint.rpartition("/")[2]

    def _run(self, files: Sequence[Path]) -> Iterator[object]:
        """Yield what the callable yields, `count` at most; its errors are told with their place."""
        from trtbuild.core.entrypoint import explain_errors

        with explain_errors(self._place, files, self.packages):
            produced = self._function(files)(**self.options)
            if not isinstance(produced, Iterable):
                raise StepInputError(
                    f"{self._place}: returned {type(produced).__name__}, which holds no samples",
                    hint=SHAPE,
                )
            yield from itertools.islice(produced, self.count)
            if isinstance(produced, Generator):
                produced.close()

    def _function(self, files: Sequence[Path]) -> Callable[..., Any]:
        import inspect

        from trtbuild.core.entrypoint import load_entrypoint

        place, _, name = self.entrypoint.rpartition(":")
        # By the pinned path, which holds wherever this runs; a module only loads by its name.
        where = str(files[0].absolute()) if place.endswith(".py") else place
        function = load_entrypoint(f"{where}:{name}", Path())
        try:
            inspect.signature(function).bind(**self.options)
        except TypeError as error:
            raise StepInputError(
                f"{self._place}: cannot be called with these `options`: {quote_whole(str(error))}",
                hint=f"it is {name}{inspect.signature(function)}",
            ) from None
        return function

    def _sample(self, item: object, name: str) -> Sample:
        if not isinstance(item, Mapping) or not all(isinstance(key, str) for key in item):
            raise StepInputError(
                f"{name}: is {type(item).__name__}; a mapping of names to arrays is needed",
                hint=SHAPE,
            )
        arrays = dict(item)
        label: Label = (None, None)
        if self.labels is not None:
            if self.labels not in arrays:
                raise StepInputError(
                    f"{name}: has no label `{self.labels}`",
                    hint=f"its keys: {', '.join(arrays) or 'none'}",
                )
            label = read_label(arrays.pop(self.labels), name)
        if not arrays:
            raise StepInputError(f"{name}: holds no array for the model", hint=SHAPE)
        return Sample(
            name, {key: _array(arrays[key], f"{name}: `{key}`") for key in sorted(arrays)}, *label
        )


def _array(value: object, where: str) -> "NDArray[Any]":
    import numpy as np

    try:
        # A copy: the callable may fill the same array again.
        array = np.array(value, order="C")
    except Exception as error:  # whatever an object's own conversion raises
        raise StepInputError(
            f"{where} is no array: {quote_whole(str(error))}", hint=ARRAY
        ) from error
    if array.dtype.kind not in NUMBERS:
        raise StepInputError(
            f"{where} is {type(value).__name__} and becomes an array of {array.dtype};"
            " numbers are needed",
            hint=ARRAY,
        )
    return array.astype(array.dtype.newbyteorder("="), copy=False)
