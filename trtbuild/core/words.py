"""Numbers, digests and lists as people read them; no number is rounded across a border."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal

__all__ = [
    "Unit",
    "abbreviate",
    "describe_cause",
    "format_bound",
    "format_drop",
    "format_figure",
    "format_interval",
    "format_limit",
    "format_pair",
    "format_size",
    "join_few",
    "quote_whole",
]

Unit = Literal["", "dB", "share"]
"""Of a figure: a share is in 0..1 and shown in percent."""
_MOST_DIGITS = 17  # what a float64 holds
_DIGITS = 5
_DECIMALS = 2
_FEW = {"f": 1, "g": 4}
_ESCAPES = (
    r"(?:\x1b|\\u001b|\\x1b|\\033)"
    r"(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])"
    r"|\x9b[0-9;?]*[@-~]"
)
"""Colours, cursor and title of a terminal; also as they are written out."""
_WHERE = (
    r"\[ONNXRuntimeError\] : \d+ : [A-Z_]+ : "
    r"|(?:[A-Z]:)?[\w./\\-]*\.(?:cc|cpp|cxx|cu|cuh|h|hpp):\d+:?\s*"
    r"|\[\w+(?:Error|Exception)\]\s*|\bonnxruntime::[^\n]*?\)(?: \[with [^\]]*\])?\s+"
)
"""Where in another tool's own source something happened: it says nothing to who uses it."""
_GOES_ON = r"[,:;(\[{=-]$"
_ENDS = r"(?<=[.!?])\s+(?=[A-Z`'\"(\[])"
MOST_QUOTED = 300
NARROWEST = 40
"""A shorter line was not wrapped: what follows is another."""
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def format_figure(value: float, unit: str, *, apart: Iterable[float] = ()) -> str:
    """Write a measured value: `23.41 dB`, `97.43 %` (unit `share`), `0.99981` (no unit).

    Takes more digits where fewer would round it onto, or past, a number of `apart`, or would
    make a perfect share or cosine (0 or 1) of one that is not.
    """
    if unit == "share":
        borders = [_percent(border) for border in (0.0, 1.0, *apart)]
        return _round_within(_percent(value), "f", _DECIMALS, borders) + " %"
    if unit == "dB":
        return _round_within(value, "f", _DECIMALS, list(apart)) + " dB"
    return _round_within(value, "g", _DIGITS, [0.0, 1.0, *apart])


def format_pair(before: float, after: float, unit: str) -> tuple[str, str]:
    """Write two values with as few digits as tell them apart: `91.1 %` and `90.0 %`."""
    share, style = unit == "share", "f" if unit else "g"
    sides = [_percent(value) if share else value for value in (before, after)]
    borders = [0.0, 100.0] if share else [] if unit else [0.0, 1.0]
    end = " %" if share else f" {unit}" if unit else ""
    for digits in range(_FEW[style], _MOST_DIGITS):
        one, other = (_round_within(side, style, digits, borders) for side in sides)
        if sides[0] == sides[1] or float(one) != float(other):
            return one + end, other + end
    return f"{sides[0]!r}{end}", f"{sides[1]!r}{end}"


def format_drop(fall: float, unit: str = "share", *, apart: Iterable[float] = ()) -> str:
    """Write a drop, of a share in points of percent: `drop 0.14 points`, `gain 0.14 points`."""
    if unit == "share":
        borders = [_percent(border) for border in (0.0, *apart)]
        amount = _round_within(_percent(fall), "f", _DECIMALS, borders) + " points"
    else:
        amount = format_figure(fall, unit, apart=[0.0, *apart])
    if fall < 0:
        return f"gain {amount.lstrip('-')}"
    return f"drop {amount}" if fall else "no drop"


def format_interval(ends: tuple[float, float], unit: str, *, drop: bool = False) -> str:
    """Write where a figure lies: `36.92 to 37.41 dB`, `96.02 to 98.27 %`, `-0.1 to 0.5 points`."""
    points = drop and unit == "share"
    text = [format_figure(end, "share" if points else unit) for end in ends]
    kind = text[0].rpartition(" ")[2] if unit else ""
    end = "points" if points else kind
    low, high = (each.removesuffix(kind).strip() for each in text)
    return f"{low} to {high} {end}".strip()


def format_bound(value: float, unit: str) -> str:
    """Write a number that a person chose, as short as it is: `20`, `97 %`."""
    return f"{_percent(value):.12g} %" if unit == "share" else f"{value:.12g}"


def format_limit(drop: float, unit: str) -> str:
    """Write how far a figure may drop: `0.5 points`, `1 point`, `0.3 dB`."""
    if unit != "share":
        return f"{format_bound(drop, unit)} {unit}".strip()
    points = format_bound(drop, "share").removesuffix(" %")
    return f"{points} {'point' if points == '1' else 'points'}"


def format_size(size_bytes: int) -> str:
    """Write a size: `512 B`, `24.3 MiB`."""
    amount = float(size_bytes)
    for unit in _UNITS[:-1]:
        if amount < 1024:  # noqa: PLR2004
            return f"{amount:.1f} {unit}" if unit != "B" else f"{size_bytes} B"
        amount /= 1024
    return f"{amount:.1f} {_UNITS[-1]}"


def abbreviate(text: str) -> str:
    """Return the digits that tell a digest from others at a glance; other text stays whole."""
    return text.removeprefix("sha256:")[:8] if text.startswith("sha256:") else text


def join_few(names: Sequence[str], most: int) -> str:
    """Join the first so many names, and count the rest: `a, b and 3 more`."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def describe_cause(error: BaseException) -> str:
    """Say in one line what was raised first: its type, and its first sentences as they stand."""
    while error.__cause__ is not None:
        error = error.__cause__
    try:
        said = quote_whole(str(error))
    except Exception:  # noqa: BLE001  # it is code of anybody's
        said = ""
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def quote_whole(text: str) -> str:
    """Return the beginning of what another tool says, in whole sentences, on one line.

    Without colours, and without where in its own source it was. A line that ends in a colon or
    comma says nothing without the next.
    """
    lines = [line.strip() for line in re.sub(_ESCAPES, "", text).splitlines()]
    lines = [
        line for line in (" ".join(re.sub(_WHERE, "", each).split()) for each in lines) if line
    ]
    said = ""
    for line in lines:
        wrapped = len(said) >= NARROWEST and line[:1].islower()
        if said and not re.search(_GOES_ON, said) and not wrapped:
            break
        said = f"{said} {line}".strip()
    whole = ""
    for sentence in re.split(_ENDS, said):
        if whole and len(whole) + len(sentence) >= MOST_QUOTED:
            break
        whole = f"{whole} {sentence}".strip()
    if len(whole) > MOST_QUOTED:
        whole = whole[:MOST_QUOTED].rsplit(" ", 1)[0] + " ..."
    return whole if whole.endswith("...") else whole.rstrip(".:,; ")


def _percent(share: float) -> float:
    # 0.29 * 100 is 28.999999999999996; nobody's share is known to 12 digits.
    return round(share * 100, 10)


def _round_within(value: float, style: str, digits: int, borders: list[float]) -> str:
    side = _sides(value, borders)
    for precision in range(digits, _MOST_DIGITS):
        text = f"{value:.{precision}{style}}"
        if _sides(float(text), borders) == side:
            return text
    return repr(value)


def _sides(value: float, borders: list[float]) -> list[int]:
    return [(value > border) - (value < border) for border in borders]
