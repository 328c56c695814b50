"""A pipeline's file, read with a recipe's care: what is wrong is told at its line."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import ValidationError

from trtbuild.core.errors import RecipeError
from trtbuild.core.frozen import frozen
from trtbuild.pipeline.schema import PipelineFile
from trtbuild.recipe.problems import Problem, sort_problems
from trtbuild.recipe.source import RecipeText, read_recipe_text

__all__ = ["LoadedPipeline", "is_pipeline", "load_pipeline"]

SUFFIXES = (".yaml", ".yml")


@frozen
class LoadedPipeline:
    """A pipeline that was accepted."""

    file: Path
    pipeline: PipelineFile

    @property
    def base(self) -> Path:
        """The folder that its paths relate to."""
        return self.file.parent


def is_pipeline(path: Path) -> bool:
    """Tell whether a file is a pipeline's, as it has `stages` where a recipe has `model`."""
    if path.suffix not in SUFFIXES or not path.is_file():
        return False
    names = read_recipe_text(path).names(())
    return "stages" in names and "model" not in names


def load_pipeline(path: Path) -> LoadedPipeline:
    """Read and check a pipeline.

    Raises:
        RecipeError: all that is wrong with it, in the order of its lines.
        MissingFile: it is not there.
    """
    source = read_recipe_text(path)
    problems = list(source.problems)
    found = None
    if not source.root.bad and isinstance(source.root.plain, dict):
        try:
            found = PipelineFile.model_validate_json(json.dumps(source.root.plain))
        except ValidationError as error:
            problems += [_translate(each, source) for each in error.errors(include_url=False)]
    if problems or found is None:
        hint = "begin with `version: 1`"
        problems = problems or [source.problem((), "a pipeline is a mapping of sections", hint)]
        raise RecipeError(sort_problems(problems))
    return LoadedPipeline(path, found)


def _translate(error: object, source: RecipeText) -> Problem:
    """Return what pydantic says, in our words."""
    told = dict(error)  # type: ignore[call-overload]  # pydantic's, a TypedDict
    path = tuple(told["loc"])
    match told["type"]:
        case "missing":
            return source.problem(path[:-1], f"`{path[-1]}` is missing", "add it", key=True)
        case "extra_forbidden":
            hint = "trtbuild's README lists what a pipeline has"
            return source.problem(path, f"`{path[-1]}` is no key of it", hint, key=True)
        case "value_error":
            return source.problem(path, str(told["ctx"]["error"]), "", key=True)
        case _:
            words = str(told["msg"])
            return source.problem(path, words[:1].lower() + words[1:], "")
