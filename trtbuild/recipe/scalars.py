"""YAML 1.2's core schema: what a plain (unquoted) word in a recipe means."""

from __future__ import annotations

import math
import re

__all__ = ["Scalar", "UnclearScalar", "clip", "resolve_scalar"]

LONGEST_QUOTED = 60
QUOTE_DIGITS = "text made of digits needs quotes"

Scalar = str | int | float | bool | None
"""None stands for no value at all; a recipe never means anything by it."""

_BOOLS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NULLS = {"", "~", "null", "Null", "NULL"}
_DECIMAL = re.compile(r"[-+]?[0-9]+")
_OCTAL_IN_1_1 = re.compile(r"[-+]?0[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_MOST_DIGITS = 18
"""Every whole number of 18 digits fits 64 bits."""


class UnclearScalar(Exception):
    """A plain word that is no honest value: says why, and what to write."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def resolve_scalar(text: str) -> Scalar:
    """Return what a plain word means: a number, true, false, None, or the text itself.

    What YAML 1.1 read differently stays text (`yes`, `off`, `1_000`, `1:30`, `2024-01-31`).

    Raises:
        UnclearScalar: it is a number that is not finite, does not fit 64 bits, or begins with a 0.
    """
    if text in _NULLS:
        return None
    if text in _BOOLS:
        return _BOOLS[text]
    if text[0] not in "+-.0123456789":
        return text
    if _DECIMAL.fullmatch(text) or _BASED.fullmatch(text):
        return _whole(text)
    if _NOT_FINITE.fullmatch(text):
        hint = "write a number; leave out what has no limit"
        raise UnclearScalar(f"`{text}` is not a finite number", hint)
    if _FLOAT.fullmatch(text):
        return _real(text)
    return text


def _whole(text: str) -> int:
    if _OCTAL_IN_1_1.fullmatch(text):
        plain = text.lstrip("+-").lstrip("0") or "0"
        raise UnclearScalar(
            f"`{clip(text)}` begins with a 0: some readers of YAML take it for an octal number",
            f'write {clip(plain)} for the number, or "{clip(text)}" in quotes for the text',
        )
    digits = text.lstrip("+-")
    if len(digits) > _MOST_DIGITS:
        raise UnclearScalar(f"`{clip(text)}` is too large for a number", QUOTE_DIGITS)
    return int(digits, 0) * (-1 if text[0] == "-" else 1)


def _real(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise UnclearScalar(f"`{clip(text)}` is too large for a number", QUOTE_DIGITS)
    return value


def clip(text: str) -> str:
    """Return a text as it may stand in a message: cut off where it is long."""
    return text if len(text) <= LONGEST_QUOTED else text[: LONGEST_QUOTED - 3] + "..."
