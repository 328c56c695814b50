"""A command line of another tool, split as a shell would, and read flag by flag."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from trtbuild.core.errors import UsageError

__all__ = ["Flag", "Reading", "read_flags", "split_command"]

Arity = Literal[0, 1, "some", "?"]
_END = re.compile(r"[|;&]+|\d?>{1,2}.*|<.*")
"""Where a command ends, and a pipe or another command begins."""
_VARIABLE = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
_MODELS = (".onnx", ".engine", ".plan")
_NUMBER = re.compile(r"-\d")


@dataclass
class Reading:
    """What is found while a command line is read."""

    told: dict[str, Any]
    """What it asks for, in words of our own."""
    notes: list[tuple[str, str]]
    """Flags without a counterpart, each with where that went."""

    def note(self, flag: str, why: str) -> None:
        """Say of a flag that nothing takes its place, and why."""
        self.notes.append((flag, why))


@dataclass(frozen=True)
class Flag:
    """A flag that a tool has."""

    read: Callable[[Reading, str, list[str]], None]
    """Takes what is read so far, the flag as it was written, and its values."""
    values: Arity = 1


def split_command(text: str, tool: str) -> tuple[list[str], list[str]]:
    """Return the words of one command, its program left out, and the variables set before it.

    Raises:
        UsageError: quotes are left open, or it is no command.
    """
    try:
        words = shlex.split(text.replace("\\\r\n", " ").replace("\\\n", " "))
    except ValueError as error:
        raise UsageError(
            f"--from {tool}: the command cannot be split into words: {str(error).lower()}",
            hint="close its quotes; put the whole of it between others",
        ) from None
    variables: list[str] = []
    while words and _VARIABLE.fullmatch(words[0]) and not words[0].startswith("model="):
        variables.append(words.pop(0))
    ended = next((at for at, word in enumerate(words) if _END.fullmatch(word)), len(words))
    words = words[:ended]
    if not words:
        raise UsageError(f"--from {tool}: the command is empty", hint=f"{tool} and its options")
    return words, variables


def read_flags(
    words: Sequence[str], flags: Mapping[str, Flag], reading: Reading, *, tool: str
) -> Iterator[str]:
    """Read each flag, and yield the words that belong to none.

    `--flag=value` and `--flag value` are the same. What the tool does not have is noted.

    Raises:
        UsageError: a flag lacks its value.
    """
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        if not _is_flag(word):
            yield word
            continue
        name, equals, value = word.partition("=")
        flag = flags.get(name)
        if flag is None:
            values = [value] if equals else []
            if not equals and waiting and not _is_flag(waiting[0]) and len(waiting) > 1:
                values = [waiting.pop(0)]
            reading.note(
                word if equals else " ".join([word, *values]),
                f"{tool} has no such option, as far as known",
            )
            continue
        values = [value] if equals else list(_take(waiting, flag.values))
        if flag.values in (1, "some") and not values:
            raise UsageError(f"--from {tool}: `{name}` lacks its value", hint=f"{name}=VALUE")
        flag.read(reading, word if equals else " ".join([word, *values]), values)


def _take(waiting: list[str], values: Arity) -> Iterator[str]:
    """Take as many words as a flag has values."""
    most = {0: 0, 1: 1, "?": 1, "some": len(waiting)}[values]
    while most and waiting and not _is_flag(waiting[0]):
        if values == "some" and waiting[0].endswith(_MODELS):
            return  # behind many values stands the model
        yield waiting.pop(0)
        most -= 1


def _is_flag(word: str) -> bool:
    return len(word) > 1 and word.startswith("-") and not _NUMBER.match(word)
