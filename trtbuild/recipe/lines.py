"""A recipe's own lines, to be changed: a file, or the lines of a variant in one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from trtbuild.core.errors import UsageError
from trtbuild.core.regular_files import read_regular
from trtbuild.recipe.edit import AddedItem, OptionChange, edit_section
from trtbuild.recipe.extending import extend
from trtbuild.recipe.load import LoadedRecipe, check_source
from trtbuild.recipe.schema import EXTENDS, VARIANTS
from trtbuild.recipe.source import RecipeText, parse_recipe_text
from trtbuild.recipe.variants import find_variant, take_variant

__all__ = ["RecipeLines", "read_lines"]


@dataclass(frozen=True)
class RecipeLines:
    """The text that a recipe is written in."""

    recipe: Path
    """Its path as the user gave it."""
    file: Path
    """The file that holds it."""
    text: str
    """All of the file, with line ends as they are."""
    variant: str = ""
    """Which of the file's variants it is; empty where the file is the recipe."""

    def edit(self, section: str, changes: Sequence[OptionChange]) -> str:
        """Return the text with changes made in a section: a variant's in its own lines.

        A list that gets longer is written whole where a variant has none of its own, since it
        takes the place of the one that all variants share.

        Raises:
            UsageError: the section cannot be changed bit by bit, or stands in another file.
        """
        if not self.variant:
            return edit_section(str(self.file), self.text, (section,), changes)
        own = self._parse(self.text).root.plain[VARIANTS][self.variant].get(section, {})
        whole = self.read(self.text).root.plain.get(section, {})
        changes = [_complete(each, own, whole) for each in changes]
        place = (VARIANTS, self.variant, section)
        made = edit_section(str(self.file), self.text, place, changes)
        for each in changes:
            found = self.read(made).root.plain[section].get(each.key)
            if not each.items and found != each.value:
                raise UsageError(
                    f"{self.recipe}: `{section}.{each.key}` is said for all variants in "
                    f"{self.file}, and one can add to it and not take away",
                    hint=f"write what is shared of `{each.key}` into the variants that want it",
                )
        return made

    def load(self, text: str) -> LoadedRecipe:
        """Return the recipe that it is with another text.

        Raises:
            RecipeError: all that is wrong with it.
        """
        return check_source(self.recipe, self.read(text))

    def read(self, text: str) -> RecipeText:
        """Return what a text says of the recipe."""
        source = self._parse(text)
        if not self.variant:
            return source
        return take_variant(extend(self.file, source), self.variant)

    def _parse(self, text: str) -> RecipeText:
        return parse_recipe_text(str(self.file), text.encode())


def read_lines(loaded: LoadedRecipe, section: str) -> RecipeLines:
    """Return the lines of a recipe, in which a section is to be changed.

    Raises:
        UsageError: another file holds the section or the variant, or it was changed meanwhile.
    """
    file, variant = find_variant(loaded.file)
    data = read_regular(file)
    lines = RecipeLines(loaded.file, file, data.decode(errors="replace"), variant)
    own = parse_recipe_text(str(file), data)
    if variant and variant not in own.names((VARIANTS,)):
        raise UsageError(
            f"{loaded.file}: the variant `{variant}` stands in the recipe that {file} extends",
            hint=f"write `{VARIANTS}: {{{variant}: {{}}}}` there, for changes to go to",
        )
    if not variant and EXTENDS in own.names(()) and section not in own.names(()):
        raise UsageError(
            f"{loaded.file}: `{section}` stands in the recipe that it extends",
            hint=f"tune that one, or write `{section}: {{data: NAME}}` here, for changes to go to",
        )
    found = extend(file, own)
    now = take_variant(found, variant) if variant else found
    if now.root.plain != loaded.source.root.plain:
        raise UsageError(f"{loaded.file}: it was changed just now", hint="run the command again")
    return lines


def _complete(
    change: OptionChange, own: Mapping[str, Any], whole: Mapping[str, Any]
) -> OptionChange:
    """Return a change whose items begin with those that a list has which is not the variant's."""
    if not change.items or change.key in own:
        return change
    return replace(
        change, items=(*(AddedItem(each) for each in whole.get(change.key, ())), *change.items)
    )
