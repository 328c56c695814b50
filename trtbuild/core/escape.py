r"""The one way of a foreign text into what is read: names of tensors, files, recipes, messages.

Whoever made a name may have put into it what a terminal obeys, the end of a line and a line of
their own behind it, or a command to the service that runs a build. Everything that is written for
a reader goes through `escape_controls`, line by line: terminals, messages, reports, annotations.
Files for programs (JSON, locks, ranges) have escapes of their own.
"""

from __future__ import annotations

import re

__all__ = ["escape_controls"]

_ACTS = (
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)
"""What moves the cursor, colours, renames the window, ends a line, turns text around, is written
and not seen, or cannot be encoded."""
_BEGINS = re.compile(r"\A(\s*):(?=:)")
_INSIDE = re.compile(r"##(?=\[|vso\[|teamcity\[)", re.IGNORECASE)
"""What the log of a build is searched for. GitHub: `::error::` at the start of a line, `##[error]`
anywhere; Azure: `##vso[...]`; TeamCity: `##teamcity[...]`."""


def escape_controls(line: str) -> str:
    r"""Write a line so that it shows and does nothing: `\u001b`, as JSON has it.

    JSON, and Python in ASCII, stay what they are, since what is written out stands in their
    strings alone. What was written so once stays as it is.
    """
    # Most lines are plain, and to compile such a class takes longer than to write all of them.
    plain = line.isascii() and line.isprintable()
    written = line if plain else re.sub(_ACTS, _written_out, line)
    return _INSIDE.sub(r"#\\u0023", _BEGINS.sub(r"\1\\u003a", written))


def _written_out(found: re.Match[str]) -> str:
    number = ord(found[0])
    if found[0] == "\n":
        return "\\n"
    if number < 0x10000:  # noqa: PLR2004  # beyond are two halves, as UTF-16 and JSON have them
        return f"\\u{number:04x}"
    number -= 0x10000
    return f"\\u{0xD800 + (number >> 10):04x}\\u{0xDC00 + (number & 0x3FF):04x}"
