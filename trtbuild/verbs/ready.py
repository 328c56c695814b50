"""A recipe held against the files it names and the inputs it says, before anything is built."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from trtbuild.core.errors import MissingFile, RecipeError
from trtbuild.core.frozen import frozen
from trtbuild.plan.first_look import (
    UnusableFile,
    find_input_doubts,
    find_input_problems,
    find_unusable_files,
)
from trtbuild.recipe.load import ExaminedRecipe, LoadedRecipe, examine_recipe
from trtbuild.recipe.problems import Problem, sort_problems
from trtbuild.recipe.schema_places import join_names
from trtbuild.recipe.variants import find_variant

__all__ = ["demand_ready", "join_problems", "list_problems", "load_ready"]


def load_ready(path: Path | str, *, data: bool = True) -> LoadedRecipe:
    """Read a recipe to build from; without `data`, its data may be elsewhere.

    Raises:
        RecipeError: all that is wrong with it, files that are not here included.
        MissingFile: it is not there, or nothing is wrong but that files are not.
    """
    look = _Look.at(path, data=data)
    _demand([(Path(path), look)])
    return look.examined.accept()


def demand_ready(paths: Sequence[Path], *, data: bool = True) -> None:
    """Hold several recipes against what they name, all before any is built.

    Raises:
        RecipeError: all that is wrong with any of them.
        MissingFile: a recipe is not there, or nothing is wrong but that files are not.
    """
    looks: list[tuple[Path, _Look]] = []
    missing: list[MissingFile] = []
    for path in paths:
        try:
            looks.append((path, _Look.at(path, data=data)))
        except MissingFile as error:
            missing.append(error)
    _demand(looks, missing)


@frozen
class _Look:
    """A recipe, what is wrong with it, and what it names and cannot be used."""

    examined: ExaminedRecipe
    problems: tuple[Problem, ...]
    unusable: tuple[UnusableFile, ...]

    @classmethod
    def at(cls, path: Path | str, *, data: bool = True) -> _Look:
        """Read a recipe, and look for what it names.

        Raises:
            MissingFile: the recipe itself is not there.
        """
        examined = examine_recipe(path)
        problems = (*examined.problems, *find_input_problems(examined))
        return cls(examined, problems, tuple(find_unusable_files(examined, data=data)))

    def list_all(self, level: Literal["error", "warning"]) -> tuple[Problem, ...]:
        """Return all in file order; files that cannot be used are told at a level."""
        source = self.examined.source
        files = [
            source.problem(each.at, each.error.message, each.error.hint) for each in self.unusable
        ]
        return sort_problems(
            [*self.problems, *(each.model_copy(update={"level": level}) for each in files)]
        )


def list_problems(path: Path | str) -> tuple[Problem, ...]:
    """Return all that is wrong with a recipe; as warnings what is not here, and other doubts.

    Raises:
        MissingFile: the recipe itself is not there.
    """
    from trtbuild.plan.range_doubt import find_range_doubts
    from trtbuild.recipe.doubts import find_doubts

    look = _Look.at(path)
    examined = look.examined
    doubts = [*find_doubts(examined.recipe, examined.source)] if examined.recipe else []
    doubts = [*find_input_doubts(examined), *find_range_doubts(examined), *doubts]
    return sort_problems([*look.list_all("warning"), *doubts])


def join_problems(found: Sequence[tuple[Path, Sequence[Problem]]]) -> list[Problem]:
    """Return what is wrong with recipes, each thing once; variants that alone have it are named.

    Of lines that variants share, the place does not tell which of them they are wrong for.
    """
    wholes = Counter(find_variant(path)[0] for path, _ in found)
    by_problem: dict[Problem, list[tuple[Path, str]]] = {}
    for path, problems in found:
        for each in problems:
            by_problem.setdefault(each, []).append(find_variant(path))
    joined: list[Problem] = []
    for problem, places in by_problem.items():
        whole = sum(wholes[file] for file in {file for file, _ in places})
        names = [f"`{name}`" for _, name in places if name]
        if names and len(places) < whole:
            told = f"variant{'s' * (len(names) > 1)} {join_names(names, 'and')}"
            named = problem.model_copy(update={"message": f"{problem.message} ({told})"})
        else:
            named = problem
        joined.append(named)
    return joined


def _demand(looks: Sequence[tuple[Path, _Look]], missing: Sequence[MissingFile] = ()) -> None:
    """Raise all that is wrong with recipes, those that are not there (`missing`) included."""
    if any(look.problems for _, look in looks):
        problems = join_problems([(path, look.list_all("error")) for path, look in looks])
        raise RecipeError(problems, lines=[f"error: {each.message}" for each in missing])
    errors = [*missing, *(each.error for _, look in looks for each in look.unusable)]
    if len(errors) == 1:
        raise errors[0]
    if errors:
        first, *rest = errors
        raise type(first)(first.message, hint=first.hint, lines=[each.message for each in rest])
