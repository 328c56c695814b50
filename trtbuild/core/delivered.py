"""How many layers were asked for in each quantized type, and how many an engine delivers in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

from trtbuild.core.quantized_types import INT8, TYPES

__all__ = ["Counted", "DeliveredType", "count_others", "list_deliveries", "sum_deliveries"]


class _Layer(Protocol):
    @property
    def asked(self) -> str: ...

    @property
    def delivered(self) -> str: ...


class Counted(Protocol):
    """An engine's result, or what a lock keeps of it: INT8 has fields of its own."""

    @property
    def asked_int8(self) -> int:
        """How many layers were asked for in INT8."""

    @property
    def delivered_int8(self) -> int:
        """How many of them are in INT8."""

    @property
    def other_types(self) -> dict[str, tuple[int, int]]:
        """The same of other types, by name."""


class DeliveredType(NamedTuple):
    """One quantized type in one engine."""

    word: str
    """`INT8`."""
    asked: int
    """Layers asked for in it."""
    delivered: int

    def describe(self) -> str:
        """Write `52 of 54 layers in INT8`."""
        return f"{self.delivered} of {self.asked} layers in {self.word}"


def count_others(layers: Iterable[_Layer]) -> dict[str, tuple[int, int]]:
    """Count by quantized type, INT8 left out: layers asked for in it, and delivered of them."""
    known = list(layers)
    asked = {name: [x for x in known if x.asked == name] for name in TYPES if name != INT8.name}
    return {
        name: (len(own), sum(each.delivered == name for each in own))
        for name, own in asked.items()
        if own
    }


def list_deliveries(engine: Counted) -> tuple[DeliveredType, ...]:
    """Return what was asked of an engine, type by type, INT8 first; nothing where nothing was."""
    return tuple(_iterate(engine))


def _iterate(engine: Counted) -> Iterator[DeliveredType]:
    if engine.asked_int8:
        yield DeliveredType(INT8.word, engine.asked_int8, engine.delivered_int8)
    for name, (asked, delivered) in engine.other_types.items():
        yield DeliveredType(TYPES[name].word if name in TYPES else name, asked, delivered)


def sum_deliveries(engines: Iterable[Counted]) -> tuple[DeliveredType, ...]:
    """Return the same of several engines together."""
    found: dict[str, DeliveredType] = {}
    for each in (each for engine in engines for each in _iterate(engine)):
        known = found.get(each.word, DeliveredType(each.word, 0, 0))
        found[each.word] = DeliveredType(
            each.word, known.asked + each.asked, known.delivered + each.delivered
        )
    return tuple(found.values())
