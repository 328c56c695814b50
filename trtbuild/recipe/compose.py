"""PyYAML's events to nodes with positions; strict, safe and bounded."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

from yaml.error import MarkedYAMLError
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner

from trtbuild.recipe.scalars import Scalar, UnclearScalar, clip, resolve_scalar
from trtbuild.recipe.syntax import QUOTE_STAR, explain_syntax_error

__all__ = ["At", "Node", "TextError", "compose_yaml"]

MOST_NODES = 50_000
"""With every alias written out: the bound on what a few lines of nested aliases may become."""
DEEPEST = 32
_REFUSED_IN_TEXT = "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]"

At = tuple[int, int]
"""line, column, counted from 0."""


@dataclass(slots=True)
class Node:
    """A value in the file: where it is, and what is in it."""

    at: At
    value: Scalar | list[Node] | dict[str, Node] = None
    keys: dict[str, At] = field(default_factory=dict)
    quoted: bool = False
    block: bool = False
    """A mapping or list written over several lines, which begins where its first entry does."""
    bad: bool = False
    """A problem is known already; what validation says of it would only repeat that."""
    text: int = 0
    """Which of the texts it stands in, where a recipe extends another: 0 is the recipe's own."""
    size: int = 1
    height: int = 0

    @property
    def plain(self) -> Any:
        """The value as plain data."""
        if isinstance(self.value, dict):
            return {key: child.plain for key, child in self.value.items()}
        if isinstance(self.value, list):
            return [child.plain for child in self.value]
        return self.value

    @property
    def sound(self) -> bool:
        """Nothing in it has a problem as text."""
        if isinstance(self.value, dict):
            return not self.bad and all(child.sound for child in self.value.values())
        if isinstance(self.value, list):
            return not self.bad and all(child.sound for child in self.value)
        return not self.bad

    def child(self, part: str | int) -> Node | None:
        """Return the value under a key or at a position of a list, or None."""
        if isinstance(self.value, dict) and isinstance(part, str):
            return self.value.get(part)
        if isinstance(self.value, list) and isinstance(part, int) and part < len(self.value):
            return self.value[part]
        return None


class TextError(Exception):
    """Something is wrong with the text; raised where nothing beyond it can be read."""

    def __init__(self, at: At, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.at = at
        self.message = message
        self.hint = hint


def compose_yaml(text: str, found: list[TextError]) -> Node:
    """Read the one document in a text; what is wrong but can be read past goes to `found`.

    Raises:
        TextError: the rest cannot be read.
    """
    return _Composer(text, found).document()


class _Events(Reader, Scanner, Parser):
    """PyYAML's parser alone: it makes no objects, and so cannot be made to."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)


class _Composer:
    """The walk over the events; counts what they become with every alias written out."""

    def __init__(self, text: str, found: list[TextError]) -> None:
        self.events = _Events(text)
        self.found = found
        self.anchors: dict[str, Node] = {}
        self.nodes = 0

    def document(self) -> Node:
        """Read the one document there is."""
        self.next()
        begin = self.next()
        if isinstance(begin, StreamEndEvent):
            raise TextError((0, 0), "the recipe is empty", "it begins with `version: 1`")
        if isinstance(begin, DocumentStartEvent) and (begin.version or begin.tags):
            raise TextError(
                _at(begin), "lines that begin with `%` are not allowed", "remove the line"
            )
        root = self.node(self.next(), 0)
        self.next()
        after = self.next()
        if not isinstance(after, StreamEndEvent):
            hint = "remove the `---`, or make two files"
            raise TextError(_at(after), "a second document begins here", hint)
        return root

    def next(self) -> Event:
        """Return the parser's next event, its errors put into words."""
        try:
            event: Event = self.events.get_event()  # type: ignore[no-untyped-call]
        except MarkedYAMLError as error:
            told = explain_syntax_error(error)
            raise TextError((told.line, told.column), told.message, told.hint) from None
        except (ValueError, OverflowError):
            # An escape beyond Unicode ("\UFFFFFFFF"), or a %YAML version of 5000 digits.
            at = (self.events.line, self.events.column)
            raise TextError(at, "an escape that means nothing", "use single quotes") from None
        return event

    def node(self, event: Event, depth: int) -> Node:
        """Read the value that an event begins."""
        self.count(1, event)
        if isinstance(event, AliasEvent):
            return self.alias(event, depth)
        self.demand_shallow(depth, event)
        if isinstance(event, ScalarEvent):
            node = self.scalar(event)
        elif isinstance(event, SequenceStartEvent):
            node = self.sequence(event, depth)
        else:
            node = self.mapping(event, depth)
        tag, anchor = getattr(event, "tag", None), getattr(event, "anchor", None)
        if tag is not None:
            shown = clip(tag.replace("tag:yaml.org,2002:", "!!"))
            told = f"tags (`{shown}`) are not allowed"
            hint = "remove it; text that begins with `!`, or looks like a number, needs quotes"
            self.found.append(TextError(_at(event), told, hint))
            node.bad = True
        if anchor is not None:
            if anchor in self.anchors:
                told = f"the anchor `&{clip(anchor)}` is defined twice"
                self.found.append(TextError(_at(event), told, "give each its own name"))
            self.anchors[anchor] = node
        return node

    def count(self, nodes: int, event: Event) -> None:
        """Stop where the recipe would become too large."""
        self.nodes += nodes
        if self.nodes > MOST_NODES:
            told = f"more than {MOST_NODES} values, with aliases written out"
            raise TextError(_at(event), told, "is this a recipe?")

    def demand_shallow(self, depth: int, event: Event) -> None:
        """Stop where the recipe would become too deep."""
        if depth > DEEPEST:
            raise TextError(
                _at(event), f"nested more than {DEEPEST} levels deep", "is this a recipe?"
            )

    def alias(self, event: AliasEvent, depth: int) -> Node:
        """Return what an alias stands for; marks inside it are those of the anchor."""
        anchor = event.anchor or ""
        known = self.anchors.get(anchor)
        if known is None:
            name = clip(anchor)
            told = f"`*{name}` is an alias, but no `&{name}` stands before it"
            raise TextError(_at(event), told, QUOTE_STAR)
        self.count(known.size - 1, event)
        self.demand_shallow(depth + known.height, event)
        return replace(known, at=_at(event), block=False)

    def scalar(self, event: ScalarEvent) -> Node:
        """Read a word: quoted it is text, plain it is what YAML 1.2 says."""
        at, text = _at(event), event.value
        if event.style is not None:
            odd = re.search(_REFUSED_IN_TEXT, text)
            if odd is not None:
                told = f"the character U+{ord(odd[0]):04X} has no place in a recipe"
                self.found.append(TextError(at, told, "remove it"))
                text = re.sub(_REFUSED_IN_TEXT, "?", text)
            return Node(at, text, quoted=True, bad=odd is not None)
        try:
            return Node(at, resolve_scalar(text))
        except UnclearScalar as unclear:
            self.found.append(TextError(at, unclear.message, unclear.hint))
            return Node(at, text, bad=True)

    def sequence(self, event: SequenceStartEvent, depth: int) -> Node:
        """Read a list."""
        items: list[Node] = []
        while not isinstance(begin := self.next(), SequenceEndEvent):
            item = self.node(begin, depth + 1)
            self.demand_value(item, item.at, "a list item")
            items.append(item)
        return _gather(Node(_at(event), items, block=not event.flow_style), items)

    def mapping(self, event: Event, depth: int) -> Node:
        """Read a mapping."""
        children: dict[str, Node] = {}
        flow = isinstance(event, MappingStartEvent) and event.flow_style
        node = Node(_at(event), children, block=not flow)
        while not isinstance(begin := self.next(), MappingEndEvent):
            at = _at(begin)
            key, merges = self.key(begin, depth)
            node.bad = node.bad or merges
            value = self.node(self.next(), depth + 1)
            self.demand_value(value, at, f"`{clip(key)}`")
            if key in children:
                told = f"`{clip(key)}` is written twice; first on line {node.keys[key][0] + 1}"
                self.found.append(TextError(at, told, "remove one of them"))
                continue
            children[key], node.keys[key] = value, at
        return _gather(node, list(children.values()))

    def demand_value(self, node: Node, at: At, name: str) -> None:
        """Tell of a key or item that has no value: a recipe never means anything by that."""
        if node.value is None and not node.bad:
            self.found.append(
                TextError(at, f"{name} has no value", "write one, or remove the line")
            )
            node.bad = True

    def key(self, event: Event, depth: int) -> tuple[str, bool]:
        """Read a key, and whether it merges; one that is not text is told of, and taken as text."""
        at = _at(event)
        node = self.node(event, depth + 1)
        if not isinstance(event, ScalarEvent):
            raise TextError(at, "a key must be text, not an alias, list or mapping", QUOTE_STAR)
        written = node.value if isinstance(node.value, str) else str(event.value)
        merges = written == "<<" and not node.quoted
        if merges:
            hint = "share a whole value with `&name` and `*name`, or write the keys out"
            self.found.append(TextError(at, "merge keys (`<<`) are not part of YAML 1.2", hint))
        elif not isinstance(node.value, str):
            told = f"`{clip(written)}` is read as {_word(node.value)}; a key must be text"
            self.found.append(TextError(at, told, f'put it in quotes: "{clip(written)}"'))
        return written, merges


def _gather(node: Node, children: list[Node]) -> Node:
    node.size = 1 + sum(child.size for child in children)
    node.height = 1 + max((child.height for child in children), default=0)
    return node


def _word(value: object) -> str:
    if value is None:
        return "no value"
    return "true or false" if isinstance(value, bool) else "a number"


def _at(event: Event) -> At:
    mark = event.start_mark
    return (mark.line, mark.column) if mark is not None else (0, 0)
