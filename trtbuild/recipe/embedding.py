"""Move the preprocessing of data into the model, where a fix asks for that by a data set's name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from trtbuild.data.truths.base import tells_classes
from trtbuild.recipe.problems import Path, Problem, find_nearest

if TYPE_CHECKING:
    from trtbuild.data.preprocess import Preprocess
    from trtbuild.recipe.schema import Recipe
    from trtbuild.recipe.source import RecipeText

__all__ = [
    "embed_preprocessing",
    "embedding_has_its_data",
    "find_obstacle",
    "list_embedded_options",
]

_NO_KERNEL = {"area"}


def embed_preprocessing(recipe: Recipe) -> Recipe:
    """Return the recipe in which fixes have the options of the `preprocess` that they name.

    Data sets that are preprocessed alike give bytes instead. What cannot be moved stays as it is,
    for `embedding_has_its_data` to say why.
    """
    if not any(fix.kind == "embed_preprocess" for fix in recipe.fixes):
        return recipe
    fixes, data = list(recipe.fixes), dict(recipe.data)
    for place, fix in enumerate(recipe.fixes):
        if fix.kind != "embed_preprocess" or fix.data is None:
            continue
        how = getattr(recipe.data.get(fix.data), "preprocess", None)
        if how is None or find_obstacle(recipe, how, fix.picture):
            continue
        options = {"data": None, **list_embedded_options(how, fix.picture)}
        fixes[place] = fix.model_copy(update=options)
        _bring_back(fixes, place, how, fix.picture)
        left = _leave(how, fix.picture)
        for name, source in recipe.data.items():
            if getattr(source, "preprocess", None) == how:
                data[name] = source.model_copy(update={"preprocess": left})
    return recipe.model_copy(update={"fixes": tuple(fixes), "data": data})


def _bring_back(
    fixes: list[Any], place: int, how: Preprocess, picture: tuple[int, int] | None
) -> None:
    """Tell the fixes behind how boxes in what the model sees lie in the picture."""
    if picture is None:
        return
    view = how.view(picture[1], picture[0])
    shift = (float(view.corner[0]), float(view.corner[1]))
    stretch = (view.original[0] / view.resized[0], view.original[1] / view.resized[1])
    for later, fix in enumerate(fixes[place:], start=place):
        if fix.kind == "add_nms" and fix.to_picture:
            told = {"to_picture": False, "shift": shift, "stretch": stretch}
            fixes[later] = fix.model_copy(update=told)


def find_obstacle(recipe: Recipe, how: Preprocess, picture: tuple[int, int] | None) -> str:
    """Say why a preprocessing cannot move; empty where it can."""
    if how.dtype == "uint8":
        return "gives bytes already: there is nothing to move"
    if picture is None:
        return ""
    if how.interpolation in _NO_KERNEL:
        return f"resizes by `{how.interpolation}`, which is not written down for a graph"
    alike = [each for each in recipe.data.values() if getattr(each, "preprocess", None) == how]
    if (how.resize or how.crop) and any(map(_has_places, alike)):
        return "has labels that go where pictures are resized to, which must be outside then"
    return ""


def _has_places(source: object) -> bool:
    """Tell whether labels of a data set are boxes, masks or pictures, which move as pictures do."""
    labels = getattr(source, "labels", None)
    return not (labels is None or isinstance(labels, str) or tells_classes(labels))


def list_embedded_options(how: Preprocess, picture: tuple[int, int] | None) -> dict[str, Any]:
    """Return the fix's options for a preprocessing."""
    names = ("color", "scale", "mean", "std", "layout")
    options: dict[str, Any] = {name: getattr(how, name) for name in names}
    if picture is None:
        return options
    view = how.view(picture[1], picture[0])
    more = ("interpolation", "resize_like", "antialias", "pad")
    return options | {
        **{name: getattr(how, name) for name in more},
        "resize": view.resized[::-1],
        "window": view.size[::-1],
        "corner": view.corner[::-1],
    }


def _leave(how: Preprocess, picture: tuple[int, int] | None) -> Preprocess:
    """Return what is left to do where data is read: bytes come out, channels last."""
    bytes_alone: dict[str, Any] = {
        "scale": 1.0,
        "mean": (),
        "std": (),
        "layout": "hwc",
        "dtype": "uint8",
    }
    if picture is not None:
        return type(how).model_validate(bytes_alone)
    color = "gray" if how.color == "gray" else "rgb"
    return how.model_copy(update={**bytes_alone, "color": color})


def embedding_has_its_data(recipe: Recipe, source: RecipeText) -> Iterator[Problem]:
    """A fix that moves the preprocessing of data names data that has one which can move."""
    for place, fix in enumerate(recipe.fixes):
        if fix.kind != "embed_preprocess":
            continue
        if fix.data is None:
            yield from _find_stranded_labels(recipe, source, place)
            continue
        at: Path = ("fixes", place, "data")
        name = fix.data
        if name not in recipe.data:
            near, known = find_nearest(name, recipe.data), ", ".join(recipe.data)
            hint = f"did you mean `{near}`?" if near else f"data of this recipe: {known or 'none'}"
            yield source.problem(at, f"there is no data `{name}`", hint)
            continue
        how = getattr(recipe.data[name], "preprocess", None)
        obstacle = "" if how is None else find_obstacle(recipe, how, fix.picture)
        why = "has no `preprocess` to move" if how is None else obstacle
        hint = "give it one, or write the fix's own options" if how is None else ""
        if why:  # in a recipe with other mistakes, what can move stays where it is
            yield source.problem(at, f"data `{name}` {why}", hint)


def _find_stranded_labels(recipe: Recipe, source: RecipeText, place: int) -> Iterator[Problem]:
    """Yield where a model resizes pictures itself, and labels stay where the pictures were."""
    fix, compare = recipe.fixes[place], recipe.compare
    moved = fix.kind == "embed_preprocess" and (fix.resize is not None or fix.window is not None)
    back = any(
        each.kind == "add_nms" and (each.shift, each.stretch) != ((0, 0), (1, 1))
        for each in recipe.fixes
    )
    if not moved or back or compare is None or not _has_places(recipe.data.get(compare.data)):
        return
    told = (
        f"labels of data `{compare.data}` stay where the pictures are, and the model would answer "
        "in what it resizes them to"
    )
    hint = "leave resizing to `preprocess`, or bring boxes back by `add_nms` (`shift`, `stretch`)"
    yield source.problem(("fixes", place), told, hint, key=True)
