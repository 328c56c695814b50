"""Foreign text in Markdown: shown, not obeyed."""

from __future__ import annotations

from trtbuild.core.shown import shown

__all__ = ["safe"]


def safe(text: str) -> str:
    """Keep names of tensors and files from being taken for Markdown or HTML."""
    text = shown(text)
    for letter in "\\`*_[]<>|":
        text = text.replace(letter, f"\\{letter}" if letter not in "<>" else f"&#{ord(letter)};")
    return text
