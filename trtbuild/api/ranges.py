"""Tables of ranges: found, compared, read and written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from trtbuild.api.executors import using_executor
from trtbuild.api.recipes import load
from trtbuild.api.stores import open_store
from trtbuild.core.errors import UsageError
from trtbuild.core.files import write_whole

if TYPE_CHECKING:
    from trtbuild.calib.range_file import ScaleMeaning
    from trtbuild.plan.range_diff import RangeDiff
    from trtbuild.run.executor import Executor
    from trtbuild.verbs.found_ranges import FoundRanges
    from trtbuild.verbs.range_files import ImportedRanges, RangeFileForm

__all__ = ["diff_ranges", "export_ranges", "find_ranges", "import_ranges"]


def find_ranges(path: Path | str, *, values: ScaleMeaning = "auto") -> FoundRanges:
    """Find the ranges of a recipe, a build directory, a table, a TensorRT cache or a text file.

    `values` says what a cache's numbers are, see `calibrator: {kind: cache}`.

    Raises:
        RecipeError, MissingFile, RangeFileError: it is not there, or cannot be read.
        UsageError: it has no ranges, or none yet.
    """
    from trtbuild.verbs.found_ranges import find_table

    with using_executor("local") as place:
        return find_table(Path(path), open_store(), place, values=values)


def diff_ranges(
    before: Path | str,
    after: Path | str,
    *,
    tolerance: float = 0.0,
    values: tuple[ScaleMeaning, ScaleMeaning] = ("auto", "auto"),
) -> RangeDiff:
    """Say which limits moved from one table to another, and what that does to the resolution.

    Both are what `find_ranges` takes; scales that differ by less than the share `tolerance` are
    equal. `values` says of each, should it be a cache, what its numbers are.
    """
    from trtbuild.plan.range_diff import compare_ranges

    old, new = (
        find_ranges(path, values=each).ranges
        for path, each in zip((before, after), values, strict=True)
    )
    return compare_ranges(old, new, tolerance=tolerance)


def import_ranges(
    path: Path | str,
    *,
    model: Path | str | None = None,
    recipe: Path | str | None = None,
    output: Path | str | None = None,
    values: ScaleMeaning = "auto",
    executor: Executor | str = "local",
) -> ImportedRanges:
    """Read a file of ranges for a model: an ONNX file, or a recipe's, after its graph fixes.

    Those of the model's tensors are written to `output`, as JSON.

    Raises:
        RecipeError, MissingFile, RangeFileError, UsageError: something cannot be read.
        StepFailed: the recipe's model cannot be imported.
    """
    from trtbuild.verbs import range_files
    from trtbuild.verbs.found_ranges import read_table

    found = read_table(Path(path), values=values)
    if recipe is not None and model is None:
        store = open_store()
        store.prepare()
        with using_executor(executor) as place:
            made = range_files.select_ranges_for_recipe(found, load(Path(recipe)), store, place)
    elif model is not None and recipe is None:
        made = range_files.select_ranges_for_model(found, Path(model))
    else:
        raise UsageError("ranges are for one model", hint="name it: --model FILE or --recipe FILE")
    if output is not None:
        write_whole(Path(output), range_files.bytes_from_ranges(made.ranges))
    return made


def export_ranges(
    path: Path | str,
    form: RangeFileForm,
    *,
    version: str = "",
    algorithm: str = "entropy2",
    output: Path | str | None = None,
    values: ScaleMeaning = "auto",
) -> bytes:
    """Write the ranges of what `find_ranges` takes in another form, to `output` if that is given.

    `version` of TensorRT and `algorithm` go into the header of a calibration cache.

    Raises:
        UsageError, RangeFileError: they cannot be written so.
    """
    from trtbuild.verbs.range_files import write_range_file

    data = write_range_file(
        find_ranges(path, values=values).ranges, form, version=version, algorithm=algorithm
    )
    if output is not None:
        write_whole(Path(output), data)
    return data
