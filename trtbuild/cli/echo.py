"""What is written to the terminal, in characters that it shows and does not obey."""

from __future__ import annotations

import re
import sys

import typer

__all__ = ["echo", "escape_controls"]

_OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
"""What moves the cursor, colours, renames the window, turns text around, or cannot be encoded."""


def escape_controls(text: str) -> str:
    r"""Write out what a terminal would obey: `\u001b`, as JSON has it, so that JSON stays JSON."""
    return _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def echo(text: str = "", *, err: bool = False, nl: bool = True) -> None:
    """Write a line; a name in it, whoever made it, shows and does nothing.

    What the stream's encoding lacks is written out as well.
    """
    encoding = getattr(sys.stderr if err else sys.stdout, "encoding", None) or "utf-8"
    shown = escape_controls(text).encode(encoding, "backslashreplace").decode(encoding)
    typer.echo(shown, err=err, nl=nl)
