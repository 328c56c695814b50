"""What a recipe may say and hardly means: warnings of `validate`, no errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from trtbuild.data.preprocess import Preprocess
from trtbuild.recipe.problems import Problem
from trtbuild.recipe.schema import Recipe
from trtbuild.recipe.source import RecipeText

__all__ = ["find_doubts"]

LARGEST_PIXEL = 255
KIBIBYTE = 1024
MEBIBYTE = 2**20


def find_doubts(recipe: Recipe, source: RecipeText) -> Iterator[Problem]:
    """Yield a warning of each; of a recipe in part, what is sound in it is looked at."""
    for find in _DOUBTS:
        try:
            for problem in find(recipe, source):
                yield problem.model_copy(update={"level": "warning"})
        except AttributeError:  # what is wrong in a recipe is not there to be doubted
            continue


def pixels_stay_small(recipe: Recipe, source: RecipeText) -> Iterator[Problem]:
    """Pixels are multiplied by `scale`, which in other tools is what they are divided by."""
    for name, data in recipe.data.items():
        preprocess = getattr(data, "preprocess", None)
        if not isinstance(preprocess, Preprocess) or preprocess.scale <= 1:
            continue
        scale = preprocess.scale
        told = f"pixels are multiplied by `scale`: values go up to {LARGEST_PIXEL * scale:g}"
        hint = f"to divide by {scale:g}, write `scale: {1 / scale:.10g}`"
        if scale == LARGEST_PIXEL:
            hint = "leave it out: by default values become 0..1"
        yield source.problem(("data", name, "preprocess", "scale"), told, hint)


def sizes_are_in_bytes(recipe: Recipe, source: RecipeText) -> Iterator[Problem]:
    """A number without a unit is so many bytes, which nobody means by 4 or by 4096."""
    for name, target in recipe.targets.items():
        size = getattr(target, "workspace", None)
        if not isinstance(size, int) or size >= MEBIBYTE:
            continue
        unit = "GiB" if size < KIBIBYTE // 4 else "MiB"
        told = f"this is a workspace of {size} bytes, in which hardly a kernel runs"
        yield source.problem(("targets", name, "workspace"), told, f"write `{size}{unit}`")


def name_is_its_own(recipe: Recipe, source: RecipeText) -> Iterator[Problem]:
    """Results lie in a folder by the recipe's name, where those of two would replace each other."""
    node = source.node(("name",))
    if node is not None and node.text:
        told = f"a recipe that extends this one is called `{recipe.name}` too: one build folder"
        yield source.problem(("name",), told, "give it a `name` of its own")


_DOUBTS: tuple[Callable[[Recipe, RecipeText], Iterator[Problem]], ...] = (
    pixels_stay_small,
    sizes_are_in_bytes,
    name_is_its_own,
)
