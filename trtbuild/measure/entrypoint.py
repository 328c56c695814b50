"""python: a team's own metric, a function of a sample or a class that keeps and folds."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from trtbuild.core.entrypoint import find_source_files
from trtbuild.core.options import NonEmpty, Options, VariableName
from trtbuild.core.words import Unit
from trtbuild.measure.base import RESAMPLES, Figure, Measurement, MetricKind, Subject
from trtbuild.measure.called import Called, load_called
from trtbuild.measure.choose_output import choose_output

__all__ = ["MetricsPython"]


class OwnFigure(Options):
    """What a figure of the team's own is."""

    unit: Unit = ""
    """`share` (0 to 1, shown in percent), `dB`, or none."""
    better: Literal["high", "low"] = "high"
    """Which end is the better one."""
    own: bool = False
    """Whether each side has a value of its own (it is measured against labels): the code then gives
    a pair, (reference, candidate), and gates may bound the drop."""
    meaning: str = ""
    """One sentence for the reader of a report; none by default."""


class MetricsPython(MetricKind):
    """A function of each sample, or a class with `update` and `fold`, in Python."""

    is_code: ClassVar[bool] = True
    ranks: ClassVar[bool] = True  # who knows

    kind: Literal["python"]
    entrypoint: NonEmpty
    """`path/to/file.py:callable`, relative to the recipe, or `package.module:callable`. A function
    is called with `reference`, `candidate` (arrays without a batch axis) and, where it takes one,
    `label`, and returns a number, or a mapping of names to numbers: each figure is the mean over
    the samples. A class is made with `options`; its `update(reference, candidate)` returns what is
    to be kept of a sample, `fold(kept)` the figures of a list of these. What it reads and imports
    counts."""
    options: dict[str, int | float | str | bool] = {}
    """Keyword arguments: of the function, or for making the class. None by default."""
    output: str | None = None
    """The output (or part of one) that it is given; without it, a mapping of all by name."""
    values: dict[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")], OwnFigure] = {}
    """The figures that it yields, by name. By default one, called as the callable is."""
    files: tuple[NonEmpty, ...] = ()
    """Files and folders, relative to the recipe, that the code reads: whatever of them changes runs
    it again. What it is seen to read counts anyway; this is for what a library reads by itself."""
    packages: tuple[str, ...] = ()
    """Installed packages (as pip names them) whose version may change the figures. Those that its
    code imports count anyway. None by default."""
    environment: tuple[VariableName, ...] = ()
    """Variables of the environment that the code is given, and whose values count. None by
    default."""

    resamples: Annotated[int, Field(ge=0)] = RESAMPLES
    """How many resamples the intervals are made of; each calls `fold` once. 0 for no intervals,
    where `fold` takes long."""

    def figures(self) -> tuple[Figure, ...]:
        """Return those that the recipe declares, or the one that is called as the callable is."""
        if not self.values:
            name = self.entrypoint.rpartition(":")[2]
            return (Figure(name, f"what {self.entrypoint} makes of the samples"),)
        return tuple(
            Figure(
                name,
                each.meaning or f"`{name}` of {self.entrypoint}",
                unit=each.unit,
                better=each.better,
                own=each.own,
            )
            for name, each in self.values.items()
        )

    def find_files(self, base: Path) -> Mapping[str, Path]:
        """Return the callable's source file, then every module it imports from beside it.

        Raises:
            MissingFile: there is no such file or module.
        """
        first, *others = find_source_files(self.entrypoint, base)
        folder = first.parent
        return {os.path.relpath(path, folder).replace("\\", "/"): path for path in (first, *others)}

    def fact_names(self) -> tuple[str, ...]:
        """Name NumPy and what the recipe names."""
        return tuple(sorted({"numpy", *self.packages}))

    def count_resamples(self) -> int:
        """Return `resamples`."""
        return self.resamples

    def begin(self, subject: Subject) -> Measurement:
        """Load the callable, and make the class where it is one.

        Raises:
            StepInputError: there is no such output, or it cannot be called like this.
            MissingDependency: it imports what is not installed.
        """
        outputs = tuple(name for name in subject.outputs if name not in subject.parts)
        if self.output is not None:
            outputs = (choose_output(self.output, subject, self.kind),)
        called = Called(
            place=self.entrypoint.rpartition("/")[2],
            files=tuple(subject.files.values()),
            packages=self.packages,
            outputs=outputs,
            single=self.output is not None,
            figures=self.figures(),
        )
        return load_called(self.entrypoint, self.options, called)
