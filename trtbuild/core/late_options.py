"""Options that came when there were locks already, which are to hold on."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = ["LATER", "find_later_fields"]

LATER = "at its default it is no ingredient, as if it were not there"
"""Marks a field, as in `Annotated[int, LATER]`."""


@cache
def find_later_fields(options: type[BaseModel]) -> dict[str, Any]:
    """Return the fields that are `LATER`, with their defaults."""
    return {
        name: field.get_default()
        for name, field in options.model_fields.items()
        if LATER in field.metadata
    }
