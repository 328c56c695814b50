"""Foreign text in Markdown: shown, not obeyed."""

from __future__ import annotations

from trtbuild.core.escape import escape_controls

__all__ = ["escape_markup"]


def escape_markup(text: str) -> str:
    """Keep names of tensors and files from being taken for Markdown or HTML."""
    text = escape_controls(text)
    for letter in "\\`*_[]<>|":
        text = text.replace(letter, f"\\{letter}" if letter not in "<>" else f"&#{ord(letter)};")
    return text
