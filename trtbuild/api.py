"""The verbs as functions; what the CLI and a notebook both call."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trtbuild.core.errors import RecipeError, UsageError
from trtbuild.core.files import write_whole
from trtbuild.core.store import Store, default_root

if TYPE_CHECKING:
    from trtbuild.calib.table import Values
    from trtbuild.core.options import Options
    from trtbuild.core.range_diff import RangeDiff
    from trtbuild.core.records import Record
    from trtbuild.plan.lock import Lock
    from trtbuild.plan.saved import SavedPlan
    from trtbuild.plan.why import Why
    from trtbuild.recipe.load import Loaded
    from trtbuild.recipe.problems import Problem
    from trtbuild.run.apply import Applied
    from trtbuild.run.check import Checked
    from trtbuild.run.diagnosis import Diagnosis
    from trtbuild.run.diffing import Diff
    from trtbuild.run.executor import Listener
    from trtbuild.run.feeding import Ran
    from trtbuild.run.inspection import Inspected
    from trtbuild.run.planning import Planned
    from trtbuild.run.range_files import Form, Imported
    from trtbuild.run.tables import Table

__all__ = [
    "apply",
    "check",
    "check_lock",
    "diff",
    "diff_git",
    "doctor",
    "export_ranges",
    "import_ranges",
    "inspect",
    "kinds",
    "load",
    "lock",
    "plan",
    "range_diff",
    "run",
    "schema",
    "script",
    "store",
    "table",
    "validate",
    "why",
]


def load(path: Path) -> Loaded:
    """Read and check a recipe without touching a model, a GPU or the store.

    Raises:
        RecipeError: all that is wrong with it.
        MissingFile: it is not there.
    """
    from trtbuild.recipe.load import load as load_recipe

    return load_recipe(path)


def validate(paths: Sequence[Path]) -> tuple[Problem, ...]:
    """Check recipes and return all that is wrong with them, in order.

    Raises:
        MissingFile: one is not there.
    """
    found: list[Problem] = []
    for path in paths:
        try:
            load(path)
        except RecipeError as error:
            found += error.problems
    return tuple(found)


def check(path: Path) -> tuple[Checked, ...]:
    """Hold an ONNX file, or the models that a recipe builds engines from, against static rules.

    Of a recipe, what is cheap runs (its model is imported and fixed); nothing is calibrated.

    Raises:
        RecipeError: the recipe, alone or with the model it names, is wrong.
        MissingFile, StepInputError, StepFailed: a model cannot be read, fixed or quantized.
    """
    from trtbuild.run.check import check_file, check_recipe

    if path.suffix == ".onnx":
        return (check_file(path),)
    store = Store(default_root())
    store.prepare()
    return check_recipe(load(path), store)


def schema() -> dict[str, Any]:
    """Return the JSON Schema of recipes."""
    from trtbuild.recipe.editors import json_schema

    return json_schema()


def kinds() -> dict[str, tuple[type[Options], ...]]:
    """Return the classes of every kind, by the section of a recipe that they may stand in."""
    from typing import get_args

    from trtbuild import backends, calib, data, graph, quant

    unions = {
        "model": graph.Model,
        "fixes": graph.Fix,
        "data": data.Source,
        "calibrator": calib.RangeSource,
        "weights": quant.Weights,
        "targets": backends.Target,
    }
    # Annotated[A | B, Field(...)]: the union is the registry.
    return {section: get_args(get_args(union)[0]) for section, union in unions.items()}


def doctor() -> Diagnosis:
    """Say what this machine can build, and what is missing for the rest."""
    from trtbuild.run.diagnosis import diagnosis

    return diagnosis(default_root())


def plan(path: Path, *, targets: Sequence[str] = ()) -> Planned:
    """Say which steps of a recipe would run, and why; runs nothing and fetches nothing."""
    from trtbuild.run.planning import planned

    return planned(load(path), Store(default_root()), targets=targets)


def why(path: Path) -> tuple[Why, ...]:
    """Say for every step why the last run of a recipe ran it, and why the next would."""
    from trtbuild.plan.why import why as explained

    found = plan(path)
    return explained(found.plan, found.decisions, Store(default_root()))


def apply(
    path: Path,
    *,
    build_dir: Path,
    targets: Sequence[str] = (),
    jobs: int = 2,
    listener: Listener | None = None,
    saved: SavedPlan | None = None,
    locked: bool = False,
) -> Applied:
    """Build what a recipe asks for, and place it below `build_dir/<recipe name>/`.

    With `targets`, only those are built, and one that cannot be built here is an error. With a
    `saved` plan, nothing is done that it does not say. `locked` builds what the lock says, with
    its ranges.

    Raises:
        LockMismatch: something is not as it is locked.
        PlanStale: the saved plan is not what would be done any more.
        RecipeError: the recipe, alone or with the model it names, is wrong.
        StepFailed: a step failed; what other steps made is in the store, nothing is placed.
        MissingFile, MissingDependency, NotWritable: something needed is not here.
    """
    from trtbuild.run.apply import apply as apply_here
    from trtbuild.run.executor import Quiet

    loaded = load(path)
    store = Store(default_root())
    return apply_here(
        loaded,
        store,
        directory=build_dir / loaded.recipe.name,
        targets=targets,
        jobs=jobs,
        listener=listener or Quiet(),
        pages={"report.md": _markdown, "report.html": _html},
        saved=saved,
        lock=_held(loaded, store) if locked else None,
    )


def _held(loaded: Loaded, store: Store) -> Lock:
    from trtbuild.run.locking import against

    return against(loaded, store)


def lock(path: Path) -> tuple[Path, bool]:
    """Write the lock of a recipe that is built; return its path and whether it changed.

    Raises:
        UsageError: the recipe is not built as it stands.
    """
    from trtbuild.plan.lock import lock_path, write_lock
    from trtbuild.run.locking import locked

    found = locked(load(path), Store(default_root()))
    return lock_path(path), write_lock(lock_path(path), found)


def check_lock(path: Path) -> Path:
    """Hold a recipe and all that it names to its lock; builds nothing.

    Raises:
        LockMismatch: something differs.
        MissingFile, UsageError: there is no lock, or it cannot be read.
    """
    from trtbuild.plan.lock import lock_path

    _held(load(path), Store(default_root()))
    return lock_path(path)


def diff(before: Path, after: Path) -> Diff:
    """Compare two recipes, with their locks, or two locks, by what they mean."""
    from trtbuild.run.diffing import diff as compared

    return compared(before, after, store())


def diff_git(between: str, *, recipes: Sequence[Path] = ()) -> tuple[Diff, ...]:
    """Compare recipes (all, or those named) at two revisions, `A...B` or `A..B`."""
    from trtbuild.run.diffing import diff_revisions

    return diff_revisions(between, recipes, store())


def _markdown(record: Record) -> str:
    from trtbuild.report.markdown import markdown

    return markdown(record)


def _html(record: Record) -> str:
    from trtbuild.report.html import html

    return html(record)


def table(path: Path, *, values: Values = "auto") -> Table:
    """Find the ranges of a recipe, a build directory, a table, a TensorRT cache or a text file.

    `values` says what a cache's numbers are, see `calibrator: {kind: cache}`.

    Raises:
        RecipeError, MissingFile, RangeFileError: it is not there, or cannot be read.
        UsageError: it has no ranges, or none yet.
    """
    from trtbuild.run.tables import table_of

    return table_of(path, Store(default_root()), values=values)


def range_diff(before: Path, after: Path, *, tolerance: float = 0.0) -> RangeDiff:
    """Say which limits moved from one table to another, and what that does to the resolution.

    Both are what `table` takes; scales that differ by less than the share `tolerance` are equal.
    """
    from trtbuild.core.range_diff import range_diff as compared

    return compared(table(before).ranges, table(after).ranges, tolerance=tolerance)


def import_ranges(
    path: Path,
    *,
    model: Path | None = None,
    recipe: Path | None = None,
    output: Path | None = None,
    values: Values = "auto",
) -> Imported:
    """Read a file of ranges for a model: an ONNX file, or a recipe's, after its graph fixes.

    Those of the model's tensors are written to `output`, as JSON.

    Raises:
        RecipeError, MissingFile, RangeFileError, UsageError: something cannot be read.
        StepFailed: the recipe's model cannot be imported.
    """
    from trtbuild.run import range_files
    from trtbuild.run.local import Local
    from trtbuild.run.tables import read_table

    found = read_table(path, values=values)
    if recipe is not None and model is None:
        store = Store(default_root())
        store.prepare()
        with closing(Local(1)) as executor:
            made = range_files.ranges_for_recipe(found, load(recipe), store, executor)
    elif model is not None and recipe is None:
        made = range_files.ranges_for_model(found, model)
    else:
        raise UsageError("ranges are for one model", hint="name it: --model FILE or --recipe FILE")
    if output is not None:
        write_whole(output, range_files.bytes_from_ranges(made.ranges))
    return made


def export_ranges(
    path: Path,
    form: Form,
    *,
    version: str = "",
    algorithm: str = "entropy2",
    output: Path | None = None,
) -> bytes:
    """Write the ranges of what `table` takes in another form, to `output` if that is given.

    `version` of TensorRT and `algorithm` go into the header of a calibration cache.

    Raises:
        UsageError, RangeFileError: they cannot be written so.
    """
    from trtbuild.run.range_files import exported

    data = exported(table(path).ranges, form, version=version, algorithm=algorithm)
    if output is not None:
        write_whole(output, data)
    return data


def store() -> Store:
    """Return the store, for the functions of `core.upkeep`."""
    return Store(default_root())


def script(path: Path, target: str) -> str:
    """Return a program that builds a target of a recipe as trtbuild does, with Polygraphy alone.

    Raises:
        UsageError: there is no such target, or no such program for it.
    """
    from trtbuild.run.script import program

    return program(load(path), target)


def inspect(path: Path) -> Inspected:
    """Say what an engine file is, and whether it fits this machine.

    Raises:
        MissingFile: it is not there.
    """
    from trtbuild.run.facts import Installed
    from trtbuild.run.inspection import inspect as inspected

    return inspected(path, Installed())


def run(path: Path, inputs: Path, *, build_dir: Path, output: Path | None = None) -> Ran:
    """Run the model behind a recipe or an engine on an npz file; `output` takes what comes out.

    Raises:
        MissingFile: a file is not there, or the recipe is not built.
        StepInputError: the arrays do not fit the model.
    """
    from trtbuild.core.arrays import write_npz
    from trtbuild.run.feeding import run_model

    ran = run_model(path, inputs, build_dir=build_dir)
    if output is not None:
        with write_npz(output) as file:
            for name, array in ran.outputs.items():
                file.append(name, array)
    return ran
