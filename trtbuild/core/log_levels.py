"""How much TensorRT says while it builds: its own levels, and how Python's logging has them."""

from __future__ import annotations

from typing import Literal

__all__ = ["LEAST", "USUAL", "LogLevel"]

LogLevel = Literal["verbose", "info", "warning", "error", "internal_error"]
"""TensorRT's levels of severity, the most talkative first: what is below one is not written."""
USUAL: LogLevel = "info"
LEAST: dict[LogLevel, int] = {
    "verbose": 0,
    "info": 10,  # Polygraphy has TensorRT's `info` as DEBUG
    "warning": 30,
    "error": 40,
    "internal_error": 40,  # Polygraphy hands both over as errors
}
"""The least of Python's levels that is written at each, as a number: commands load no logging."""
