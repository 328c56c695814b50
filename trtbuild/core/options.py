"""Options: frozen, no unknown keys; the base of every recipe section and step."""

from __future__ import annotations

import re
from typing import Annotated, Any, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, WithJsonSchema

__all__ = ["LOCATION", "ByteSize", "Location", "Options", "Share", "location_fields"]


class Options(BaseModel):
    """A frozen value that reads strictly from JSON and survives the round trip.

    Strict: no text becomes a number. Read with `model_validate_json`, where a list may become
    a tuple; from Python, pass the exact types.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )


LOCATION = "says where bytes are, not what they are: no ingredient"
Location = Annotated[str, LOCATION]
"""A path or URL in a recipe. Its bytes are pinned by digest; the text itself changes no result."""


def location_fields(options: type[BaseModel]) -> frozenset[str]:
    """Return the names of the fields that are `Location`s, optional ones included."""
    return frozenset(
        name
        for name, field in options.model_fields.items()
        if LOCATION in field.metadata or _names_location(field.annotation)
    )


def _names_location(annotation: Any) -> bool:
    if LOCATION in getattr(annotation, "__metadata__", ()):
        return True
    return any(_names_location(part) for part in get_args(annotation))


_UNITS = {
    "B": 1,
    "kB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
}


def _bytes_from_text(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]+)", value.strip())
    if match is None or match[2] not in _UNITS:
        units = ", ".join(_UNITS)
        raise ValueError(f"`{value}` is not a size; write a number and a unit ({units}): 4GiB")
    return round(float(match[1]) * _UNITS[match[2]])


def _share_from_text(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*%", value.strip())
    if match is None:
        raise ValueError(f"`{value}` is not a share; write 1% or 0.01")
    return float(match[1]) / 100


ByteSize = Annotated[
    int,
    BeforeValidator(_bytes_from_text),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": r"^\d+(\.\d+)?\s*(B|[kMG]B|[KMG]iB)$"},
                {"type": "integer", "minimum": 0},
            ],
            "description": "A size in bytes: 4GiB, 512MiB, or a plain number.",
        }
    ),
]
"""A size in bytes, written `4GiB` or as a plain number."""

Share = Annotated[
    float,
    BeforeValidator(_share_from_text),
    WithJsonSchema(
        {
            "anyOf": [{"type": "string", "pattern": r"^\d+(\.\d+)?\s*%$"}, {"type": "number"}],
            "description": "A share: 1% or 0.01.",
        }
    ),
]
"""A share in 0..1, written `1%` or `0.01`."""
