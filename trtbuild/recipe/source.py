"""YAML with a position for every key, value and item."""

from __future__ import annotations

import re
from pathlib import Path as FilePath

from trtbuild.core.errors import MissingFile
from trtbuild.core.escape import escape_controls
from trtbuild.core.frozen import frozen
from trtbuild.core.regular_files import open_regular
from trtbuild.recipe.compose import At, Node, TextError, compose_yaml
from trtbuild.recipe.problems import Mark, Path, Problem

__all__ = ["Mark", "RecipeText", "parse_recipe_text", "read_recipe_text"]

LARGEST_BYTES = 1 << 20
_BREAK = re.compile("\r\n|\r|\n")
_REFUSED_IN_ASCII = "[^\t\n\r\x20-\x7e]"
_REFUSED = (
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
"""What YAML refuses, what YAML 1.1 alone takes for the end of a line, and the byte order mark."""


@frozen
class RecipeText:
    """A recipe's text, what it says, and where."""

    file: str
    """The recipe's path as the user gave it."""
    lines: tuple[str, ...]
    root: Node
    problems: tuple[Problem, ...] = ()
    """What is wrong with the text as such."""
    beneath: tuple[RecipeText, ...] = ()
    """Texts that nodes stand in which are not of this one; see `recipe.extending`."""

    @property
    def texts(self) -> tuple[RecipeText, ...]:
        """All of them, by what their nodes say."""
        return (self, *self.beneath)

    def node(self, path: Path) -> Node | None:
        """Return the value at a path, or None where there is none."""
        node: Node | None = self.root
        for part in path:
            node = node.child(part) if node is not None else None
        return node

    def names(self, path: Path) -> list[str]:
        """Return the keys of the mapping at a path, whatever stands under them."""
        node = self.node(path)
        return list(node.value) if node is not None and isinstance(node.value, dict) else []

    def find(self, path: Path, *, key: bool = False) -> Mark:
        """Return where the value at a path stands, or with `key` its key.

        A value that is not there is looked for in its parents: the mark is the nearest one's.
        A mapping or list over several lines is marked at its key.
        """
        return _mark(self._locate(path, key=key)[0])

    def _locate(self, path: Path, *, key: bool) -> tuple[At, RecipeText]:
        """Return where the nearest value to one at a path stands, and in which text."""
        node, at = self.root, self.root.at
        for part in path:
            child = node.child(part)
            if child is None:
                break
            key_at = node.keys.get(part) if isinstance(part, str) else None
            at = key_at if key_at is not None and (child.block or key) else child.at
            node = child
        return at, self.texts[node.text]

    def problem(self, path: Path, message: str, hint: str = "", *, key: bool = False) -> Problem:
        """Make a problem that points at the value at a path of keys, or with `key` at its key."""
        at, text = self._locate(path, key=key)
        return _problem(text.file, text.lines, _mark(at), message, hint, path=path)


def read_recipe_text(path: FilePath) -> RecipeText:
    """Read a recipe file.

    Raises:
        MissingFile: it is not there, is no regular file, or may not be read.
    """
    try:
        str(path.absolute()).encode()
    except UnicodeEncodeError:
        hint = "rename it, or the folder it lies in"
        raise MissingFile(
            f"{path}: its path is not UTF-8, and so cannot be noted", hint=hint
        ) from None
    with open_regular(path, hint="give the path of a recipe") as file:
        data = file.read(LARGEST_BYTES + 1)
    return parse_recipe_text(str(path), data)


def parse_recipe_text(file: str, data: bytes) -> RecipeText:
    """Read a recipe's bytes; what is wrong with them as text is in the source's problems."""
    text = data.decode("utf-8", errors="replace").removeprefix("\ufeff")
    lines = tuple(_BREAK.split(text))
    found: list[TextError] = []
    try:
        _refuse_bytes(data, text)
        root = compose_yaml(text, found)
    except TextError as stop:
        # What stands half read before it is not wrong on its own account.
        found = [each for each in found if each.at[0] != stop.at[0]] + [stop]
        root = Node((0, 0), bad=True)
    problems = (_problem(file, lines, _mark(each.at), each.message, each.hint) for each in found)
    return RecipeText(file, lines, root, tuple(problems))


def _mark(at: At) -> Mark:
    return Mark(line=at[0] + 1, column=at[1] + 1)


def _problem(
    file: str, lines: tuple[str, ...], mark: Mark, message: str, hint: str, *, path: Path = ()
) -> Problem:
    return Problem(
        file=file,
        mark=mark,
        path=path,
        message=escape_controls(message),
        hint=escape_controls(hint),
        excerpt=lines[mark.line - 1] if mark.line <= len(lines) else "",
    )


def _refuse_bytes(data: bytes, text: str) -> None:
    if len(data) > LARGEST_BYTES:
        raise TextError((0, 0), "a recipe is at most 1 MiB long", "is this the right file?")
    try:
        data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].decode().removeprefix("\ufeff")
        binary = b"\0" in data and not data.startswith((b"\xff\xfe", b"\xfe\xff"))
        hint = (
            "a recipe is YAML text: is this the right file?" if binary else "save the file as UTF-8"
        )
        raise TextError(_end(before), "this is not UTF-8 text", hint) from None
    # Most recipes are plain text: it takes longer to compile the whole class than to read them.
    found = re.search(_REFUSED_IN_ASCII if text.isascii() else _REFUSED, text)
    if found is not None:
        told = f"the character U+{ord(found[0]):04X} has no place in a recipe"
        raise TextError(_end(text[: found.start()]), told, "remove it")


def _end(before: str) -> At:
    lines = _BREAK.split(before)
    return len(lines) - 1, len(lines[-1])
