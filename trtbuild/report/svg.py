"""Pieces of SVG as text: they name classes, whose colours are the page's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Literal

from trtbuild.core.escape import escape_controls

__all__ = ["PlotFrame", "draw_circle", "draw_line", "draw_rectangle", "draw_svg", "label"]


@dataclass(frozen=True)
class PlotFrame:
    """Where data are drawn, in the units of the view box, and what its ends stand for."""

    left: float
    top: float
    right: float
    bottom: float
    across: tuple[float, float] = (0.0, 1.0)
    up: tuple[float, float] = (0.0, 1.0)

    def x(self, value: float) -> float:
        """Return where a value lies across; what is beyond the ends lies on them."""
        return self.left + _share(value, self.across) * (self.right - self.left)

    def y(self, value: float) -> float:
        """Return where a value lies, counted from the top as SVG does."""
        return self.bottom - _share(value, self.up) * (self.bottom - self.top)


def _share(value: float, ends: tuple[float, float]) -> float:
    low, high = ends
    return min(max((value - low) / (high - low), 0.0), 1.0)


def draw_svg(width: int, height: int, title: str, parts: Iterable[str]) -> str:
    """Return a drawing; the title says in words what is to be seen."""
    told = escape(escape_controls(" ".join(title.split())))
    return (
        f'<svg class="plot" role="img" viewBox="0 0 {width} {height}" aria-label="{told}">'
        f"<title>{told}</title>{''.join(parts)}</svg>"
    )


def draw_line(kind: str, start: tuple[float, float], end: tuple[float, float]) -> str:
    """Return a line."""
    (x1, y1), (x2, y2) = start, end
    return f'<line class="{kind}" x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}"/>'


def draw_rectangle(kind: str, corner: tuple[float, float], size: tuple[float, float]) -> str:
    """Return a bar; `corner` is its upper left."""
    (x, y), (width, height) = corner, size
    return (
        f'<rect class="{kind}" x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}"/>'
    )


def draw_circle(kind: str, centre: tuple[float, float], radius: float, title: str) -> str:
    """Return a point; its title is seen when the pointer is on it."""
    x, y = centre
    told = escape(escape_controls(" ".join(title.split())))
    return (
        f'<circle class="{kind}" cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}">'
        f"<title>{told}</title></circle>"
    )


def label(
    at: tuple[float, float],
    text: str,
    *,
    anchor: Literal["start", "middle", "end"] = "start",
    kind: str = "",
) -> str:
    """Return a word or two."""
    x, y = at
    mark = f' class="{kind}"' if kind else ""
    side = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text{mark} x="{_n(x)}" y="{_n(y)}"{side}>{escape(escape_controls(text))}</text>'


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
