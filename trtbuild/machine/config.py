"""The user's own settings, apart from any recipe: which Python builds which kind of target."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from trtbuild.core.errors import RecipeError
from trtbuild.core.frozen import frozen
from trtbuild.core.locations import find_config_root
from trtbuild.core.watch import note_path
from trtbuild.machine.facts import list_target_kinds
from trtbuild.recipe.problems import Problem, find_nearest, sort_problems
from trtbuild.recipe.source import RecipeText, read_recipe_text

__all__ = ["ConfiguredPython", "find_config_file", "read_configured_pythons"]


@frozen
class ConfiguredPython:
    """A Python that the settings name, and where they do."""

    python: str
    place: str
    """`/home/me/.config/trtbuild/config.yaml:2`."""


def find_config_file() -> Path:
    """Return where the settings are looked for."""
    return Path(find_config_root()) / "config.yaml"


def read_configured_pythons() -> dict[str, ConfiguredPython]:
    """Return the Pythons that the settings name, by kind of target; none where there is no file.

    Raises:
        RecipeError: all that is wrong with the file, in file order.
        MissingFile: it is there, and may not be read.
    """
    path = find_config_file()
    note_path(path)
    if not path.exists():
        return {}
    source = read_recipe_text(path)
    if not any(line.partition("#")[0].strip() for line in source.lines):
        return {}
    problems = sort_problems([*source.problems, *_problems(source)])
    if problems:
        raise RecipeError(problems)
    data: Any = source.root.plain
    return {
        kind: ConfiguredPython(str(Path(python).expanduser()), _place(source, kind))
        for kind, python in data.get("pythons", {}).items()
    }


def _place(source: RecipeText, kind: str) -> str:
    return f"{source.file}:{source.find(('pythons', kind)).line}"


def _problems(source: RecipeText) -> Iterator[Problem]:
    data = source.root.plain
    if source.root.bad:
        return
    if not isinstance(data, dict):
        yield source.problem((), "the settings are a mapping", "begin with `pythons:`")
        return
    for name in data:
        if name != "pythons":
            guess = find_nearest(str(name), ["pythons"])
            hint = f"did you mean `{guess}`?" if guess else "there is one: `pythons`"
            yield source.problem((name,), f"`{name}` is no setting", hint, key=True)
    section = data.get("pythons", {})
    if not isinstance(section, dict):
        hint = "write `tensorrt10: /path/to/python` below it"
        yield source.problem(("pythons",), "`pythons` is a mapping from kinds of targets", hint)
        return
    for kind, python in section.items():
        yield from _python_problems(source, kind, python)


def _python_problems(source: RecipeText, kind: str, python: object) -> Iterator[Problem]:
    path = ("pythons", kind)
    kinds = list_target_kinds()
    if kind not in kinds:
        guess = find_nearest(str(kind), kinds)
        hint = f"did you mean `{guess}`? " if guess else ""
        told = f"`{kind}` is no kind of target"
        yield source.problem(path, told, f"{hint}kinds: {', '.join(kinds)}", key=True)
    elif not isinstance(python, str) or not _from_the_root(python):
        # A relative path would mean another Python in every directory.
        told = f"`{kind}` must be the path of a Python, from the root or from `~/`"
        yield source.problem(path, told, "for example /opt/trt10/bin/python")


def _from_the_root(python: str) -> bool:
    return python.startswith("~/") or Path(python).is_absolute()
