"""Tables of ranges, wherever they are: built, in a build directory, in a file, or in a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from trtbuild.calib.range_file import RangeTable, ScaleMeaning, table_from_bytes
from trtbuild.core.digest import digest_of_file
from trtbuild.core.errors import UsageError
from trtbuild.core.placed import MODELS, RANGES
from trtbuild.core.quantized_types import INT8, TYPES, QuantizedType
from trtbuild.core.regular_files import read_regular
from trtbuild.core.values import Ranges, Signature
from trtbuild.plan.explain import decide
from trtbuild.plan.ranges import collect_given_ranges, find_needed_ranges
from trtbuild.quant.placing.required_ranges import find_missing_ranges
from trtbuild.recipe.load import LoadedRecipe, load_recipe
from trtbuild.run.executor import Executor
from trtbuild.store.artifacts import read_artifact
from trtbuild.store.store import Store
from trtbuild.verbs.build import compile_for_machine, list_known_outcomes

__all__ = ["FoundRanges", "find_table", "read_table"]

RECIPES = {".yaml", ".yml"}


@dataclass(frozen=True)
class FoundRanges:
    """Ranges, and where they were found."""

    source: str
    """As the user gave it."""
    told: str
    """What it is, in words."""
    ranges: Ranges
    lacking: Mapping[str, tuple[str, ...]]
    """Tensors that INT8 needs a range for and that have none, with the nodes that read them; known
    of recipes alone."""
    digest: str = ""
    """Of the file that holds them; empty where none does."""
    type: QuantizedType = INT8
    """What their scales are scales of; of a file that is not in a build directory, INT8."""


def find_table(
    path: Path, store: Store, executor: Executor, *, values: ScaleMeaning = "auto"
) -> FoundRanges:
    """Find the ranges of a recipe, a build directory or a file of ranges.

    Of a recipe it is the table of its last build; where nothing was built as it stands now, the
    ranges that it gives by hand or names a file for.

    Raises:
        MissingFile, RangeFileError, RecipeError: it is not there, or cannot be read.
        UsageError: it has no ranges.
    """
    if path.suffix.lower() in RECIPES:
        return _of_recipe(load_recipe(path), store, executor)
    if path.is_dir():
        if not (path / RANGES).is_file():
            hint = "give the directory that `apply` left: build/<recipe name>"
            raise UsageError(f"{path}: holds no {RANGES}", hint=hint)
        ranges = read_table(path / RANGES).ranges
        digest = digest_of_file(path / RANGES)
        built = _find_type(path)
        return FoundRanges(str(path), "ranges of a build", ranges, {}, digest, built)
    table = read_table(path, values=values)
    built = _find_type(path.parent) if path.name == RANGES else INT8
    return FoundRanges(str(path), table.told, table.ranges, {}, digest_of_file(path), built)


def read_table(path: Path, *, values: ScaleMeaning = "auto") -> RangeTable:
    """Read a file of ranges.

    Raises:
        MissingFile, RangeFileError: it is not there, or holds none.
    """
    data = read_regular(path, hint="give a recipe, a build directory, or a file of ranges")
    return table_from_bytes(data, file=str(path), values=values)


def _of_recipe(loaded: LoadedRecipe, store: Store, executor: Executor) -> FoundRanges:
    section = loaded.recipe.quantization
    if section is None:
        raise UsageError(
            f"{loaded.file}: has no `quantization`, and so no ranges",
            hint="add a `quantization`, or give a file of ranges",
        )
    made, _ = compile_for_machine(loaded, store, executor, targets=(), fetch=False)
    outcomes = list_known_outcomes(decide(made, store), store)
    store.digests.save()
    found = {
        (each.step, artifact.name): artifact for each in outcomes for artifact in each.artifacts
    }
    if ("fix_graph", "model") not in found:
        raise _refuse_unbuilt(loaded, "its model was not imported")
    digest = ""
    if ("quantize", "ranges") in found:
        digest = found["quantize", "ranges"].digest
        told = "ranges of the last build"
        ranges = read_artifact(store, found["quantize", "ranges"], Ranges)
    elif section.data is None:
        told = "ranges that the recipe gives; nothing was built with them"
        signature = read_artifact(store, found["fix_graph", "signature"], Signature)
        ranges = collect_given_ranges(loaded, section, signature.tensors)
    else:
        raise _refuse_unbuilt(loaded, "nothing was calibrated")
    wants = find_needed_ranges(section, store.object_path(found["fix_graph", "model"].digest))
    gaps = {name: wants[name] for name in find_missing_ranges(wants, ranges.tensors)}
    return FoundRanges(str(loaded.file), told, ranges, gaps, digest, TYPES[section.type])


def _find_type(folder: Path) -> QuantizedType:
    """Return the type of the quantized model in a build directory; INT8 where there is none."""
    built = (each for name, each in TYPES.items() if (folder / MODELS[name].file).is_file())
    return next(built, INT8)


def _refuse_unbuilt(loaded: LoadedRecipe, why: str) -> UsageError:
    return UsageError(
        f"{loaded.file}: has no ranges yet: {why}, as it stands now",
        hint=f"build it: trtbuild apply {loaded.file}",
    )
