"""`trtbuild init`: make a first recipe, hold it against its model, and write it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from trtbuild.core.errors import NotWritable, RecipeError, UsageError
from trtbuild.core.files import write_whole
from trtbuild.plan.first_look import find_input_problems
from trtbuild.recipe.load import ExaminedRecipe, check_source
from trtbuild.recipe.source import parse_recipe_text
from trtbuild.verbs.init.draft import compose_recipe
from trtbuild.verbs.init.first_recipe import draft_recipe
from trtbuild.verbs.init.models import ModelRequest, look_at_model
from trtbuild.verbs.init.old_commands.translate import Translation, apply_translation
from trtbuild.verbs.init.parts import gather_parts
from trtbuild.verbs.init.targets import choose_targets

__all__ = ["STANDARD_OUTPUT", "FirstRecipe", "InitRequest", "make_first_recipe"]

STANDARD_OUTPUT = "-"
_NAME_LENGTH = 80
_OTHER = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True)
class InitRequest:
    """What was typed."""

    model: str = ""
    """Empty where an old command names it."""
    data: Path | None = None
    output: str = ""
    """The file to write, `-` for none; by default NAME.yaml in the current folder."""
    force: bool = False
    inputs: tuple[str, ...] = ()
    weights: Path | None = None
    command: tuple[str, str] | None = None
    """A tool's name, and how it was called."""


@dataclass(frozen=True)
class FirstRecipe:
    """A recipe that was made, and what to know of it."""

    file: Path | None
    """Where it was written; None where it was only made."""
    text: str
    notes: tuple[str, ...]


def make_first_recipe(request: InitRequest) -> FirstRecipe:
    """Make a first recipe, and write it unless it is only to be shown.

    Raises:
        UsageError: what was typed is wrong, the file is there already, or no recipe that stands
            follows from it.
        MissingFile: the model or the data is not there.
        StepInputError: the model or the data cannot be read.
        NotWritable: the recipe has no place there.
    """
    translation = None if request.command is None else Translation.read(*request.command)
    model = request.model or (translation.model if translation else "")
    if not model:
        raise UsageError("there is no model", hint="trtbuild init MODEL, as an ONNX file")
    file = _choose_file(request, model)
    _demand_free(file, request)
    base = file.parent
    data = request.data or (translation.data if translation else None)
    asked = ModelRequest(model, base, request.inputs, request.weights)
    look = translation.look(asked) if translation else look_at_model(asked)
    parts = gather_parts(look, data, base, translation)
    draft = draft_recipe(parts, _name(file.stem), choose_targets(suppresses=look.suppresses))
    notes = [*look.notes]
    if translation is not None:
        draft = apply_translation(draft, translation, parts.fed, base)
        notes += [f"no counterpart: {line}" for line in translation.tell()]
    text = compose_recipe(draft)
    _check(file, text, model)
    if request.output == STANDARD_OUTPUT:
        return FirstRecipe(None, text, tuple(notes))
    try:
        write_whole(file, text.encode())
    except OSError as error:
        told = f"{file}: cannot be written: {error.strerror or error}"
        raise NotWritable(told, hint="name another place: --output FILE") from error
    return FirstRecipe(file, text, tuple(notes))


def _choose_file(request: InitRequest, model: str) -> Path:
    if request.output and request.output != STANDARD_OUTPUT:
        return Path(request.output)
    place, colon, name = model.rpartition(":")
    named = name if colon and place else Path(model).absolute().stem
    return Path(f"{_name(named)}.yaml")


def _name(text: str) -> str:
    """Return a name for a recipe like a text that may hold anything."""
    plain = _OTHER.sub("_", text).strip("._-")[:_NAME_LENGTH].rstrip("._-")
    return plain or "model"


def _demand_free(file: Path, request: InitRequest) -> None:
    if request.output == STANDARD_OUTPUT:
        return
    if file.is_dir():
        raise UsageError(f"{file}: is a folder", hint="name a file: --output NAME.yaml")
    if file.exists() and not request.force:
        raise UsageError(
            f"{file}: is there already",
            hint="write it anew (--force), elsewhere (--output FILE), or look at it (--output -)",
        )


def _check(file: Path, text: str, model: str) -> None:
    """Hold the recipe against the rules, and what it says against the model's inputs.

    Raises:
        UsageError: something in it cannot be: a name, or what the model was taken for.
    """
    source = parse_recipe_text(str(file), text.encode())
    try:
        loaded = check_source(file, source)
        found = find_input_problems(ExaminedRecipe(file, loaded.recipe, source, ()))
        problems = tuple(found)
    except RecipeError as error:
        problems = error.problems
    if problems:
        first = problems[0]
        raise UsageError(
            f"{model}: no recipe that stands could be made of it: {first.message}",
            hint=f"{first.hint or 'write one by hand'} (README: a recipe, section by section)",
        )
