"""A recipe as it stands: read, checked, described."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trtbuild.api.executors import using_executor
from trtbuild.api.stores import open_store
from trtbuild.core.errors import MissingFile, RecipeError, UsageError
from trtbuild.store.store import find_default_root

if TYPE_CHECKING:
    from trtbuild.core.options import Options
    from trtbuild.recipe.load import LoadedRecipe
    from trtbuild.recipe.problems import Problem
    from trtbuild.recipe.sections import RecipeSection
    from trtbuild.run.executor import Executor
    from trtbuild.verbs.check import CheckedModel
    from trtbuild.verbs.diagnose import Diagnosis

__all__ = [
    "check",
    "demand_apart",
    "demand_ready",
    "doctor",
    "expand_variants",
    "kinds",
    "load",
    "name_variant",
    "name_variants",
    "schema",
    "sections",
    "validate",
]

_NAME = re.compile(rb"""^name:[ ]+(["']?)([A-Za-z0-9_.-]+)\1[ ]*(#.*)?\r?$""", re.MULTILINE)


def load(path: Path | str) -> LoadedRecipe:
    """Read and check a recipe without touching a model, a GPU or the store.

    Raises:
        RecipeError: all that is wrong with it.
        MissingFile: it is not there.
    """
    from trtbuild.recipe.load import load_recipe

    return load_recipe(path)


def expand_variants(paths: Sequence[Path]) -> tuple[Path, ...]:
    """Return recipes, and in the place of one that has variants these: `NAME.VARIANT.yaml`."""
    from trtbuild.recipe.variants import expand_variants as expanded

    return expanded(paths)


def name_variant(path: Path, variant: str) -> Path:
    """Return the path of a recipe's variant; without its name, that of the recipe."""
    (named,) = name_variants([path], [variant] if variant else [])
    return named


def name_variants(paths: Sequence[Path], variants: Sequence[str]) -> tuple[Path, ...]:
    """Return the paths of the variants so called of each recipe; without any, the recipes."""
    from trtbuild.recipe.variants import name_variant

    return tuple(name_variant(path, each) for path in paths for each in variants) or tuple(paths)


def validate(paths: Sequence[Path | str]) -> tuple[Problem, ...]:
    """Check recipes and return all that is wrong with them, in order; what variants share once.

    A pipeline's file is read as what it is. Files that recipes name and that are not here are
    warnings: to check a recipe needs none of them.

    Raises:
        MissingFile: one is not there, and with the others nothing is wrong.
    """
    from trtbuild.core.escape import escape_controls
    from trtbuild.recipe.problems import Mark, Problem
    from trtbuild.verbs.ready import join_problems

    found: list[tuple[Path, Sequence[Problem]]] = []
    missing: list[MissingFile] = []
    for path in expand_variants([Path(each) for each in paths]):
        try:
            found.append((path, _list_problems(path)))
        except MissingFile as error:
            missing.append(error)
            told = error.message.removeprefix(escape_controls(f"{path}: "))
            mark = Mark(line=1, column=1)
            gone = Problem(file=str(path), mark=mark, path=(), message=told)
            found.append((path, [gone]))
    problems = join_problems(found)
    if missing and len(missing) == len(problems):
        raise missing[0]
    return tuple(problems)


def _list_problems(path: Path) -> Sequence[Problem]:
    """Return what is wrong with a recipe, or with a pipeline where the file is one's."""
    from trtbuild.verbs.ready import list_problems

    problems = list_problems(path)
    if not any(each.path == ("stages",) for each in problems):
        return problems
    from trtbuild.pipeline.load import is_pipeline, load_pipeline

    if not is_pipeline(path):
        return problems
    try:
        load_pipeline(path)
    except RecipeError as error:
        return error.problems
    return ()


def demand_ready(paths: Sequence[Path], *, locked: bool = False) -> None:
    """Demand that recipes that are built together have all that they name, before one is built.

    Raises:
        RecipeError: all that is wrong with any of them.
        MissingFile: a file that one names is not there.
    """
    from trtbuild.verbs.ready import demand_ready as demand

    demand(paths, data=not locked)


def demand_apart(paths: Sequence[Path]) -> None:
    """Demand that the results of recipes that are built together fall into different folders.

    Raises:
        UsageError: two of them have one name.
    """
    by_name: dict[str, Path] = {}
    for path in dict.fromkeys(paths):
        name = _name_of(path)
        other = by_name.setdefault(name, path) if name else path
        if other != path and not _are_same(other, path):
            raise UsageError(
                f"{other} and {path} are both called `{name}`: their results have one place",
                hint="give them different names, or build them into different folders, one by one "
                "(--build-dir)",
            )


def _are_same(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and one.samefile(other)


def _name_of(path: Path) -> str:
    """Return a recipe's name; nothing where it cannot be read, which building it will say."""
    from trtbuild.core.regular_files import read_regular

    try:
        # As it is nearly always written: to read hundreds of recipes whole would take time.
        if path.exists() and (written := _NAME.search(read_regular(path))):
            return written[2].decode()
        return load(path).recipe.name
    except (MissingFile, RecipeError):
        return ""


def check(path: Path | str, *, executor: Executor | str = "local") -> tuple[CheckedModel, ...]:
    """Hold an ONNX file, or the models that a recipe builds engines from, against static rules.

    Of a recipe, what is cheap runs (its model is imported and fixed); nothing is calibrated.

    Raises:
        RecipeError: the recipe, alone or with the model it names, is wrong.
        MissingFile, StepInputError, StepFailed: a model cannot be read, fixed or quantized.
    """
    from trtbuild.verbs.check import check_file, check_recipe
    from trtbuild.verbs.ready import load_ready

    file = Path(path)
    if file.suffix == ".onnx":
        return (check_file(file),)
    store = open_store()
    store.prepare()
    with using_executor(executor) as place:
        return check_recipe(load_ready(file), store, place)


def schema() -> dict[str, Any]:
    """Return the JSON Schema of recipes."""
    from trtbuild.recipe.json_schema import make_json_schema

    return make_json_schema()


def kinds() -> dict[str, tuple[type[Options], ...]]:
    """Return the classes of every kind, by the section of a recipe that they may stand in."""
    return {each.name: each.classes for each in sections() if each.has_kinds}


def sections() -> tuple[RecipeSection, ...]:
    """Return every section of a recipe, with the classes that hold its options."""
    from trtbuild.recipe.sections import find_sections

    return find_sections()


def doctor() -> Diagnosis:
    """Say what this machine can build, and what is missing for the rest."""
    from trtbuild.verbs.diagnose import diagnose_machine

    return diagnose_machine(find_default_root())
