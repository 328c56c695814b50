"""Times, rates and shapes as people read them."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["format_ms", "format_rate", "format_shapes", "format_times"]

_THOUSAND = 1000


def format_ms(value: float) -> str:
    """Write milliseconds with three digits and a unit: `7.42 µs`, `1.85 ms`, `12.3 s`."""
    if value < 1:
        return f"{_digits(value * _THOUSAND)} µs"
    return f"{_digits(value)} ms" if value < _THOUSAND else f"{_digits(value / _THOUSAND)} s"


def format_rate(value: float) -> str:
    """Write so many a second with three digits: `135 000`, `12.4`."""
    if value < _THOUSAND:
        return _digits(value)
    return f"{float(f'{value:.3g}'):,.0f}".replace(",", " ")


def format_times(ratio: float) -> str:
    """Write a ratio of times: `1.84×`, `0.952×`."""
    return f"{_digits(ratio)}×"


def format_shapes(shapes: Mapping[str, tuple[int, ...]]) -> str:
    """Write shapes: `input 8×3×224×224, mask 8×128`."""
    told = (f"{name} {'×'.join(map(str, each)) or 'scalar'}" for name, each in shapes.items())
    return ", ".join(told) or "no inputs"


def _digits(value: float) -> str:
    """Write three digits, be they before or behind the point."""
    if value >= 100:  # noqa: PLR2004
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.3g}"  # noqa: PLR2004
