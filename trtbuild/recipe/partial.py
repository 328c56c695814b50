"""Of a recipe that is wrong somewhere, what is sound: rules hold that against each other."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ValidationError

from trtbuild.recipe.findings import find_meant
from trtbuild.recipe.problems import Path
from trtbuild.recipe.schema import Recipe
from trtbuild.recipe.schema_places import find_place
from trtbuild.recipe.source import RecipeText

if TYPE_CHECKING:
    from pydantic import TypeAdapter

__all__ = ["build_partial"]

MOST_TRIES = 8
"""What lacks an option is dropped, then what holds that, and so on outwards."""


def build_partial(data: dict[str, Any], source: RecipeText, absent: Iterable[str]) -> Recipe:
    """Return a recipe without what is wrong: to read that raises AttributeError.

    What is wrong in a list takes the list with it, in a mapping the one entry. `absent` are
    sections that stand there under a misspelt name.
    """
    hidden = set(absent)
    sections: dict[str, Any] = {}
    for name in Recipe.model_fields.keys() & data.keys() - hidden:
        try:
            sections[name] = _read_sound(name, data[name], source)
        except _NothingSound:
            hidden.add(name)
    recipe = Recipe.model_construct(**sections)
    for name in hidden:
        vars(recipe).pop(name, None)
    return recipe


class _NothingSound(Exception):
    """There is nothing in a section to go by."""


def _read_sound(section: str, value: Any, source: RecipeText) -> Any:
    tree = {section: json.loads(json.dumps(value))}
    node = source.node((section,))
    gone = [_cut(tree, path) for path in (_find_bad((section,), source) if node else ())]
    for _ in range(MOST_TRIES):
        if section not in tree:
            break
        try:
            read = _section_reader(section).validate_json(json.dumps([tree[section]]))[0]
        except ValidationError as error:
            for each in error.errors(include_url=False, include_context=False):
                place = find_place((section, *each["loc"][1:]))
                missing = each["type"] == "missing"
                if each["type"] == "extra_forbidden" and (meant := find_meant(place)):
                    gone.append((*place.owner_path, meant))
                gone.append(_cut(tree, place.path[:-1] if missing else place.path))
        else:
            for path in gone:
                _hide(read, path[1:])
            return read
    raise _NothingSound


def _find_bad(path: Path, source: RecipeText) -> Iterator[Path]:
    """Yield the places below one at which the text as such is wrong."""
    node = source.node(path)
    if node is None or node.sound:
        return
    if node.bad:
        yield path
    elif isinstance(node.value, dict):
        for key in node.value:
            yield from _find_bad((*path, key), source)
    elif isinstance(node.value, list):
        for index in range(len(node.value)):
            yield from _find_bad((*path, index), source)


def _cut(tree: dict[str, Any], path: Path) -> Path:
    """Take out what stands at a place, or as much of its end as there is; return what went."""
    place = path[: next((i for i, part in enumerate(path) if isinstance(part, int)), len(path))]
    while place:
        owner: Any = tree
        for part in place[:-1]:
            owner = owner.get(part) if isinstance(owner, dict) else None
        if isinstance(owner, dict) and place[-1] in owner:
            del owner[place[-1]]
            return place
        place = place[:-1]
    return path[:1]


def _hide(read: Any, path: Path) -> None:
    """Let an option be as if it had never been read; of a mapping the entry is gone already."""
    for part in path[:-1]:
        if isinstance(read, BaseModel):
            read = vars(read).get(str(part))
        else:
            read = read.get(part) if isinstance(read, dict) else None
    if path and isinstance(read, BaseModel):
        vars(read).pop(str(path[-1]), None)


@cache
def _section_reader(name: str) -> TypeAdapter[tuple[Any]]:
    from pydantic import ConfigDict, TypeAdapter

    field = Recipe.model_fields[name]
    # In a tuple, since a section that is a model brings a configuration, and takes no other.
    wrapped: Any = tuple
    annotation: Any = Annotated[field.annotation, field]
    return TypeAdapter(wrapped[annotation], config=ConfigDict(strict=True))
