"""Tables of ranges, wherever they are: built, in a build directory, in a file, or in a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from trtbuild.calib.table import RangeTable, Values, table_from_bytes
from trtbuild.core.errors import UsageError
from trtbuild.core.regular import read_regular
from trtbuild.core.values import Ranges, Signature
from trtbuild.plan.explain import decide
from trtbuild.plan.ranges import given_ranges, needed
from trtbuild.quant.placing.wanted import lacking
from trtbuild.recipe.load import Loaded, load
from trtbuild.run.executor import Executor
from trtbuild.store.reading import read_artifact
from trtbuild.store.store import Store
from trtbuild.verbs.build import compiled, known

__all__ = ["Table", "read_table", "table_of"]

TABLE = "ranges.json"
RECIPES = {".yaml", ".yml"}


@dataclass(frozen=True)
class Table:
    """Ranges, and where they were found."""

    source: str
    """As the user gave it."""
    told: str
    """What it is, in words."""
    ranges: Ranges
    lacking: Mapping[str, tuple[str, ...]]
    """Tensors that INT8 needs a range for and that have none, with the nodes that read them; known
    of recipes alone."""


def table_of(path: Path, store: Store, executor: Executor, *, values: Values = "auto") -> Table:
    """Find the ranges of a recipe, a build directory or a file of ranges.

    Of a recipe it is the table of its last build; where nothing was built as it stands now, the
    ranges that it gives by hand or names a file for.

    Raises:
        MissingFile, RangeFileError, RecipeError: it is not there, or cannot be read.
        UsageError: it has no ranges.
    """
    if path.suffix.lower() in RECIPES:
        return _of_recipe(load(path), store, executor)
    if path.is_dir():
        if not (path / TABLE).is_file():
            hint = "give the directory that `apply` left: build/<recipe name>"
            raise UsageError(f"{path}: holds no {TABLE}", hint=hint)
        return Table(str(path), "ranges of a build", read_table(path / TABLE).ranges, {})
    table = read_table(path, values=values)
    return Table(str(path), table.told, table.ranges, {})


def read_table(path: Path, *, values: Values = "auto") -> RangeTable:
    """Read a file of ranges.

    Raises:
        MissingFile, RangeFileError: it is not there, or holds none.
    """
    data = read_regular(path, hint="give a recipe, a build directory, or a file of ranges")
    return table_from_bytes(data, file=str(path), values=values)


def _of_recipe(loaded: Loaded, store: Store, executor: Executor) -> Table:
    section = loaded.recipe.quantization
    if section is None:
        raise UsageError(
            f"{loaded.file}: has no `quantization`, and so no ranges",
            hint="add a `quantization`, or give a file of ranges",
        )
    made, _ = compiled(loaded, store, executor, targets=(), fetch=False)
    outcomes = known(decide(made, store), store)
    store.digests.save()
    found = {
        (each.step, artifact.name): artifact for each in outcomes for artifact in each.artifacts
    }
    if ("fix_graph", "model") not in found:
        raise _unbuilt(loaded, "its model was not imported")
    if ("quantize", "ranges") in found:
        told = "ranges of the last build"
        ranges = read_artifact(store, found["quantize", "ranges"], Ranges)
    elif section.data is None:
        told = "ranges that the recipe gives; nothing was built with them"
        signature = read_artifact(store, found["fix_graph", "signature"], Signature)
        ranges = given_ranges(loaded, section, signature.tensors)
    else:
        raise _unbuilt(loaded, "nothing was calibrated")
    wants = needed(section, store.object_path(found["fix_graph", "model"].digest))
    gaps = {name: wants[name] for name in lacking(wants, ranges.tensors)}
    return Table(str(loaded.file), told, ranges, gaps)


def _unbuilt(loaded: Loaded, why: str) -> UsageError:
    return UsageError(
        f"{loaded.file}: has no ranges yet: {why}, as it stands now",
        hint=f"build it: trtbuild apply {loaded.file}",
    )
