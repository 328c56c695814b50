"""How the fact of a distribution is written: `1.31.1`, or `onnxruntime-gpu 1.31.1`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

__all__ = ["name_package", "peek_version", "read_version"]


def peek_version(facts: Mapping[str, str], name: str) -> str | None:
    """Return the fact of a distribution, without its being one of those that a plan rests on."""
    peek: Callable[[str], str | None] = getattr(facts, "peek", facts.get)
    return peek(name)


def read_version(fact: str) -> str:
    """Return the version that the fact of a distribution holds."""
    return fact.rpartition(" ")[2]


def name_package(name: str, fact: str) -> str:
    """Write the fact of a distribution with its name, unless it names another."""
    return fact if " " in fact else f"{name} {fact}"
