"""A pipeline's file, read with a recipe's care: what is wrong is told at its line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from trtbuild.core.errors import RecipeError
from trtbuild.core.frozen import frozen
from trtbuild.core.options import Options
from trtbuild.pipeline.schema import FrameSource, PipelineFile, Queue, Results, Stage
from trtbuild.recipe.problems import Problem, find_nearest, sort_problems
from trtbuild.recipe.scalars import clip
from trtbuild.recipe.source import RecipeText, read_recipe_text

__all__ = ["LoadedPipeline", "demand_yaml", "is_pipeline", "load_pipeline"]

SUFFIXES = (".yaml", ".yml")
_WORDS = {"an object": "a mapping", "integer": "a whole number", "number": "a number"}
"""What pydantic calls values, and what they are in YAML."""


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
    """Tell whether a file is a pipeline's: it has `source` or `stages`, and no `model`."""
    if path.suffix not in SUFFIXES or not path.is_file():
        return False
    names = read_recipe_text(path).names(())
    return bool({"stages", "source"} & {*names}) and "model" not in names


def demand_yaml(path: Path) -> None:
    """Demand of a file that may be a pipeline's that its text can be read, if it is YAML.

    Raises:
        RecipeError: it is none, so that nothing says what it is.
    """
    if path.suffix in SUFFIXES and path.is_file():
        source = read_recipe_text(path)
        if source.root.bad:
            raise RecipeError(sort_problems(source.problems))


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
    if found is not None:
        problems += _list_overwritten(found, source, path)
    if problems or found is None:
        hint = "begin with `version: 1`"
        problems = problems or [source.problem((), "a pipeline is a mapping of sections", hint)]
        raise RecipeError(sort_problems(problems))
    return LoadedPipeline(path, found)


def _list_overwritten(found: PipelineFile, source: RecipeText, path: Path) -> Iterator[Problem]:
    """Yield what results would be written over: what is read, or the other result."""
    base, results = path.parent, found.results.model_dump(exclude_none=True)
    read = {path.resolve(): "the pipeline itself"}
    if found.source.kind in {"video", "folder"}:
        read[(base / found.source.path).resolve()] = "the source"
    for name, stage in found.stages.items():
        file = stage.recipe or str(stage.python).rpartition(":")[0]
        read[(base / file).resolve()] = f"read by the stage `{name}`"
    for name, to in results.items():
        what = read.get((base / to).resolve())
        if what:
            told = f"`{name}` would be written over `{clip(to)}`, which is {what}"
            yield source.problem(("results", name), told, "name another file")
        read[(base / to).resolve()] = f"what `{name}` is written to"


def _translate(error: object, source: RecipeText) -> Problem:
    """Return what pydantic says, in our words."""
    told = dict(error)  # type: ignore[call-overload]  # pydantic's, a TypedDict
    path = tuple(told["loc"])
    if path[-1] == "[key]" and told["type"] == "value_error":
        return source.problem(path[:-1], str(told["ctx"]["error"]), "rename it", key=True)
    if path[-1] == "[key]":
        why = f"`{clip(path[-2])}` is no name of a stage: a letter, then letters, digits, `_`, `-`"
        return source.problem(path[:-1], why, "rename it", key=True)
    match told["type"]:
        case "missing":
            return source.problem(path[:-1], f"`{path[-1]}` is missing", "add it", key=True)
        case "extra_forbidden":
            return _tell_unknown(path, source)
        case "value_error":
            return source.problem(path, str(told["ctx"]["error"]), "", key=True)
        case _:
            return _tell_value(path, told, source)


def _tell_unknown(path: tuple[str, ...], source: RecipeText) -> Problem:
    """Say that a section has no such option, and which it has."""
    section, what = _find_section(path)
    near = find_nearest(path[-1], section.model_fields)
    hint = f"did you mean `{near}`?" if near else f"options: {', '.join(section.model_fields)}"
    told = f"`{clip(path[-1])}` is not an option of {what}"
    return source.problem(path, told, hint, key=True)


def _find_section(path: tuple[str, ...]) -> tuple[type[Options], str]:
    """Return the section that an option stands in, and what it is in words."""
    match path:
        case (_,):
            return PipelineFile, "a pipeline"
        case ("stages", _, _):
            return Stage, "a stage"
        case ("stages", *_):
            return Queue, "`queue`"
        case ("source", *_):
            return FrameSource, "`source`"
        case _:
            return Results, "`results`"


def _tell_value(path: tuple[str, ...], told: dict[str, Any], source: RecipeText) -> Problem:
    """Say what a value must be, and what it is."""
    words = str(told["msg"])
    if told["type"] == "too_short":
        return source.problem(path, f"`{path[-1]}` is empty, and holds one thing at least")
    rule = words.removeprefix("Input should be ").removeprefix("a valid ").replace("'", "`")
    rule = _WORDS.get(rule, rule)
    if rule == words or not path:
        return source.problem(path, words[:1].lower() + words[1:])
    value, known = told["input"], re.findall("`([^`]+)`", rule)
    found = f'text "{clip(value)}"' if isinstance(value, str) else clip(json.dumps(value))
    near = find_nearest(value, known) if isinstance(value, str) else None
    hint = f"did you mean `{near}`?" if near else ""
    return source.problem(path, f"`{path[-1]}` must be {rule}, not {found}", hint)
