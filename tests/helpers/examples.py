"""The README's examples of what a command says, held to what it does say."""

from __future__ import annotations

import re
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"
NUMBER = re.compile(r"\d+\.\d+")
CLOSE = 0.02
"""How far a figure may be off: processors differ in the last bits, and so what is measured does."""
PASSING = re.compile(r"\b[0-9a-f]{8}\b|\d+\.\d s\b")
"""Digests, which follow the versions of tools, and times."""


def example(command: str) -> list[str]:
    """The lines that the README shows below a command."""
    blocks = re.findall(r"```console\n(.*?)```", README.read_text(), re.DOTALL)
    (block,) = [each for each in blocks if each.startswith(f"$ {command}\n")]
    return block.splitlines()[1:]


def differences(shown: list[str], said: str) -> list[str]:
    """The lines of an example that were not said in that order; `...` stands for any."""
    lines = iter(said.splitlines())
    return [
        line
        for line in shown
        if line.strip() != "..." and not any(_alike(line, each) for each in lines)
    ]


def _alike(shown: str, said: str) -> bool:
    start, dots, _ = _plain(shown).partition("...")
    wanted, found = (NUMBER.findall(PASSING.sub("~", each)) for each in (shown, said))
    same = _plain(said).startswith(start.rstrip()) if dots else _plain(said) == start
    pairs = zip(wanted, found, strict=False)
    return same and all(abs(float(a) - float(b)) <= CLOSE * abs(float(a)) for a, b in pairs)


def _plain(line: str) -> str:
    """A line without what may change, its columns narrowed."""
    return " ".join(NUMBER.sub("#", PASSING.sub("~", line)).split())
