"""The one way to the terminal: in characters that it shows and does not obey."""

from __future__ import annotations

import sys

from trtbuild.core.escape import escape_controls

__all__ = ["echo", "pour"]


def echo(line: str = "", *, err: bool = False, command: bool = False) -> None:
    """Write one line; a name in it, whoever made it, shows and does nothing.

    What the stream's encoding lacks is written out as well. `command`: the line is a command to
    GitHub, made by `recipe.problems.annotation`.
    """
    _write(line if command else escape_controls(line), err=err, nl=True)


def pour(text: str, *, err: bool = False, nl: bool = True) -> None:
    """Write a text of several lines, whose ends are ours: JSON, a page, a program, a message."""
    _write("\n".join(map(escape_controls, text.split("\n"))), err=err, nl=nl)


def _write(text: str, *, err: bool, nl: bool) -> None:
    stream = sys.stderr if err else sys.stdout
    if stream is None:  # a program without a console
        return
    encoding = getattr(stream, "encoding", None) or "utf-8"
    text = text.encode(encoding, "backslashreplace").decode(encoding)
    stream.write(f"{text}\n" if nl else text)
    stream.flush()
