"""Protocol buffers as text: what `config.pbtxt` is written in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = ["Message", "Word", "write_message"]


@dataclass(frozen=True)
class Word:
    """A value of an enumeration, which stands without quotation marks."""

    name: str


@dataclass(frozen=True)
class Message:
    """Fields in the order in which they are written; one that repeats stands several times."""

    fields: tuple[tuple[str, Value], ...]


Value = str | int | bool | Word | Message | Sequence[int]


def write_message(message: Message) -> str:
    """Return a message as text, a field a line."""
    return "".join(f"{line}\n" for line in _lines(message, ""))


def _lines(message: Message, indent: str) -> Iterator[str]:
    for name, value in message.fields:
        if isinstance(value, Message):
            yield f"{indent}{name} {{"
            yield from _lines(value, indent + "  ")
            yield f"{indent}}}"
        else:
            yield f"{indent}{name}: {_scalar(value)}"


def _scalar(value: str | int | bool | Word | Sequence[int]) -> str:  # noqa: FBT001  # a value
    match value:
        case Word(name):
            return name
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case str():
            return _quote(value)
        case _:
            return f"[{', '.join(map(str, value))}]"


def _quote(text: str) -> str:
    """Return text in quotation marks: what is not plain ASCII as octal numbers of its bytes."""
    plain = range(0x20, 0x7F)
    return '"' + "".join(
        chr(byte) if byte in plain and chr(byte) not in '"\\' else f"\\{byte:03o}"
        for byte in text.encode()
    ) + '"'  # fmt: skip
