"""How much TensorRT says while it builds: its own levels, and how Python's logging has them."""

from __future__ import annotations

import logging
from typing import Literal

__all__ = ["LEAST", "USUAL", "LogLevel"]

LogLevel = Literal["verbose", "info", "warning", "error", "internal_error"]
"""TensorRT's levels of severity, the most talkative first: what is below one is not written."""
USUAL: LogLevel = "info"
LEAST: dict[LogLevel, int] = {
    "verbose": logging.NOTSET,
    "info": logging.DEBUG,  # Polygraphy has TensorRT's `info` below its own
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "internal_error": logging.ERROR,  # Polygraphy hands both over as errors
}
"""The least of Python's levels that is written at each."""
