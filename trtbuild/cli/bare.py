"""Reads `plan` and `apply` with few, plain arguments as typer would, without loading typer.

It takes as long to load, and to be told of each option, as half of a plan that has nothing to do.
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["read_bare"]

FLAGS = {
    "-q": "quiet",
    "--quiet": "quiet",
    "-v": "verbose",
    "--verbose": "verbose",
    "--locked": "locked",
    "--no-gates": "no_gates",
}
"""Options of `apply` that are there or not, and what they are to `do_apply`."""


def read_bare(arguments: Sequence[str]) -> Callable[[], int] | None:
    """Return what a command asks for; None where typer has to read it.

    That is everything but `plan RECIPE` and `apply RECIPE...`, with `--target` and, of `apply`,
    `--build-dir` and flags, each a word of its own with its value behind it: whatever is wrong is
    typer's to say.
    """
    if not arguments or "_TRTBUILD_COMPLETE" in os.environ:
        return None
    verb, *words = arguments
    if not all(word and word.isprintable() for word in words):
        return None
    if verb == "plan":
        return _read_plan(words)
    return _read_apply(words) if verb == "apply" else None


def _read_plan(words: list[str]) -> Callable[[], int] | None:
    from trtbuild.cli.do_plan import do_plan

    found = _read_words(words, flags=(), values=("--target",))
    if found is None or len(found[0]) != 1:
        return None
    recipes, options = found
    return partial(do_plan, recipes[0], **options)


def _read_apply(words: list[str]) -> Callable[[], int] | None:
    from trtbuild.cli.do_apply import do_apply

    found = _read_words(words, flags=tuple(FLAGS), values=("--target", "--build-dir"))
    if found is None or not found[0]:
        return None
    recipes, options = found
    return partial(do_apply, recipes, **options)


def _read_words(
    words: list[str], *, flags: Sequence[str], values: Sequence[str]
) -> tuple[list[Path], dict[str, Any]] | None:
    """Return the recipes and the options; None where one of the words is not known here."""
    recipes: list[Path] = []
    options: dict[str, Any] = {}
    rest = iter(words)
    for word in rest:
        if word in flags:
            options[FLAGS[word]] = True
        elif word in values:
            value = next(rest, "-")
            if value.startswith("-"):
                return None
            if word == "--target":
                options.setdefault("targets", []).append(value)
            else:
                options["build_dir"] = Path(value)
        elif word.startswith("-"):
            return None
        else:
            recipes.append(Path(word))
    return recipes, options
