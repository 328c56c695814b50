"""The user's own settings, apart from any recipe: which Python builds which kind of target."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trtbuild.core.errors import RecipeError
from trtbuild.core.watch import note
from trtbuild.machine.facts import target_kinds
from trtbuild.recipe.problems import Problem, in_order, near
from trtbuild.recipe.source import Source, read

__all__ = ["Named", "config_file", "pythons"]


@dataclass(frozen=True)
class Named:
    """A Python that the settings name, and where they do."""

    python: str
    place: str
    """`/home/me/.config/trtbuild/config.yaml:2`."""


def config_file() -> Path:
    """Return where the settings are looked for: below XDG_CONFIG_HOME, else ~/.config."""
    home = os.environ.get("XDG_CONFIG_HOME", "")
    # A relative one is to be taken for none: the XDG base directory specification.
    base = Path(home) if home.startswith("/") else Path("~/.config").expanduser()
    return base / "trtbuild" / "config.yaml"


def pythons() -> dict[str, Named]:
    """Return the Pythons that the settings name, by kind of target; none where there is no file.

    Raises:
        RecipeError: all that is wrong with the file, in file order.
        MissingFile: it is there, and may not be read.
    """
    path = config_file()
    note(path)
    if not path.exists():
        return {}
    source = read(path)
    if not any(line.partition("#")[0].strip() for line in source.lines):
        return {}
    problems = in_order([*source.problems, *_problems(source)])
    if problems:
        raise RecipeError(problems)
    data: Any = source.root.plain
    return {
        kind: Named(str(Path(python).expanduser()), _place(source, kind))
        for kind, python in data.get("pythons", {}).items()
    }


def _place(source: Source, kind: str) -> str:
    return f"{source.file}:{source.find(('pythons', kind)).line}"


def _problems(source: Source) -> Iterator[Problem]:
    data = source.root.plain
    if source.root.bad:
        return
    if not isinstance(data, dict):
        yield source.problem((), "the settings are a mapping", "begin with `pythons:`")
        return
    for name in data:
        if name != "pythons":
            guess = near(str(name), ["pythons"])
            hint = f"did you mean `{guess}`?" if guess else "there is one: `pythons`"
            yield source.problem((name,), f"`{name}` is no setting", hint, key=True)
    section = data.get("pythons", {})
    if not isinstance(section, dict):
        hint = "write `tensorrt10: /path/to/python` below it"
        yield source.problem(("pythons",), "`pythons` is a mapping from kinds of targets", hint)
        return
    for kind, python in section.items():
        yield from _python_problems(source, kind, python)


def _python_problems(source: Source, kind: str, python: object) -> Iterator[Problem]:
    path = ("pythons", kind)
    kinds = target_kinds()
    if kind not in kinds:
        guess = near(str(kind), kinds)
        hint = f"did you mean `{guess}`? " if guess else ""
        told = f"`{kind}` is no kind of target"
        yield source.problem(path, told, f"{hint}kinds: {', '.join(kinds)}", key=True)
    elif not isinstance(python, str) or not python.startswith(("/", "~/")):
        # A relative path would mean another Python in every directory.
        told = f"`{kind}` must be the path of a Python, from the root or from `~/`"
        yield source.problem(path, told, "for example /opt/trt10/bin/python")
