"""Options: frozen, no unknown keys; the base of every recipe section and step."""

import os
import re
from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    ValidationError,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from trtbuild.core.errors import CorruptObject

__all__ = [
    "AUTO", "LOCATION", "ByteSize", "Location", "NonEmpty", "Options", "Share", "SizeOrAuto",
    "UnitInterval", "VariableName", "describe_fields", "find_location_fields", "list_locations",
    "relocate",
]  # fmt: skip

FROM_STORE = (
    "remove the store, which costs time and nothing else: `trtbuild store du` says where it is"
)


class Options(BaseModel):
    """A frozen value that reads strictly from JSON and survives the round trip.

    Strict: no text becomes a number. Read with `model_validate_json`, where a list may become
    a tuple; from Python, pass the exact types.
    """

    model_config = ConfigDict(
        # Most commands use few of the kinds there are; each builds its validator when first used.
        defer_build=True,
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
    )

    @classmethod
    def read_json(cls, data: bytes, *, what: str, hint: str = FROM_STORE) -> Self:
        """Read a value that some trtbuild has written; `what` names it in messages.

        Raises:
            CorruptObject: it is none of this trtbuild's.
        """
        try:
            return cls.model_validate_json(data)
        except ValidationError:
            raise CorruptObject(f"{what} was written by another trtbuild", hint=hint) from None

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Add the fields' docstrings as descriptions."""
        made = handler(schema)
        properties = handler.resolve_ref_schema(made).get("properties", {})
        for name, text in describe_fields(cls).items():
            properties.get(name, {}).setdefault("description", text)
        return made


def describe_fields(options: type[BaseModel]) -> dict[str, str]:
    """Return the docstring below each field that has one, inherited fields included.

    Read from the source, and only when asked for: pydantic's own way to do it reads the source
    of every class whenever it is imported, which costs a third of a plan that has nothing to do.
    """
    found: dict[str, str] = {}
    for owner in reversed(options.__mro__):
        if issubclass(owner, Options) and owner is not Options:
            found |= _docstrings(owner)
    return found


@cache
def _docstrings(options: type[BaseModel]) -> dict[str, str]:
    import ast
    import inspect
    import textwrap

    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(options))).body
    assert isinstance(definition, ast.ClassDef)  # noqa: S101  # getsource of a class is one
    pairs = zip(definition.body, definition.body[1:], strict=False)
    return {
        field.target.id: inspect.cleandoc(text.value.value)
        for field, text in pairs
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }


LOCATION = "says where bytes are, not what they are: no ingredient"
NonEmpty = Annotated[str, Field(min_length=1)]
UnitInterval = Annotated[float, Field(ge=0, le=1)]
VariableName = Annotated[str, Field(pattern="^[A-Za-z_][A-Za-z0-9_]*$")]
"""The name of a variable of the environment."""
Location = Annotated[str, LOCATION]
"""A path or URL in a recipe. Its bytes are pinned by digest; the text itself changes no result."""


@cache
def find_location_fields(options: type[BaseModel]) -> frozenset[str]:
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


def list_locations(value: Any) -> tuple[str, ...]:
    """Return every path or URL in an option tree, as it is written there."""
    found: list[str] = []
    _collect(value, found, inside=False)
    return tuple(found)


def _collect(value: Any, found: list[str], *, inside: bool) -> None:
    if isinstance(value, str) and inside:
        found.append(value)
    elif isinstance(value, BaseModel):
        places = find_location_fields(type(value))
        for name in type(value).model_fields:
            _collect(getattr(value, name), found, inside=name in places)
    elif isinstance(value, tuple | list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            _collect(item, found, inside=inside)


def relocate(value: Any, move: Callable[[str], str]) -> Any:
    """Return an option tree in which every location that is an absolute path is moved.

    Paths that relate to a folder of the tree move along with that folder.
    """
    if isinstance(value, BaseModel):
        places = find_location_fields(type(value))
        changes = {}
        for name in type(value).model_fields:
            old = getattr(value, name)
            new = _move_paths(old, move) if name in places else relocate(old, move)
            if new is not old:
                changes[name] = new
        return value.model_copy(update=changes) if changes else value
    return _map_items(value, lambda item: relocate(item, move))


def _move_paths(value: Any, move: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return move(value) if os.path.isabs(value) else value  # noqa: PTH117  # no path is made
    if isinstance(value, BaseModel):
        return relocate(value, move)
    return _map_items(value, lambda item: _move_paths(item, move))


def _map_items(value: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, tuple):
        return tuple(change(item) for item in value)
    if isinstance(value, dict):
        return {key: change(item) for key, item in value.items()}
    return value


_UNITS = {
    "B": 1,
    "kB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
}


_MOST_BYTES = 2**63 - 1
"""What TensorRT, and any file, can be told."""
_MOST_DIGITS = 40
"""Of a number of so many digits the rest makes no difference: it is too large, or too fine."""


def _bytes_from_text(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]+)", value.strip())
    if match is None or match[2] not in _UNITS:
        units = ", ".join(_UNITS)
        raise ValueError(f"`{value}` is not a size; write a number and a unit ({units}): 4GiB")
    from fractions import Fraction

    # Exact: a float has 53 bits, and takes 309 digits for infinity.
    return round(Fraction(match[1].lstrip("0")[:_MOST_DIGITS] or "0") * _UNITS[match[2]])


def _addressable(value: int) -> int:
    if value > _MOST_BYTES:
        raise ValueError("no memory is so large; write a size below 8192 PiB, such as 4GiB")
    return value


def _share_from_text(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*%", value.strip())
    if match is None:
        raise ValueError(f"`{value}` is not a share; write 1% or 0.01")
    return float(match[1].lstrip("0")[:_MOST_DIGITS] or "0") / 100


_SIZE_PATTERN = r"^\d+(\.\d+)?\s*(B|[kMG]B|[KMG]iB)$"
ByteSize = Annotated[
    int,
    BeforeValidator(_bytes_from_text),
    AfterValidator(_addressable),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": _SIZE_PATTERN},
                {"type": "integer", "minimum": 0},
            ],
            "description": "A size in bytes: 4GiB, 512MiB, or a plain number.",
        }
    ),
]
"""A size in bytes, written `4GiB` or as a plain number."""

AUTO: Literal["auto"] = "auto"


def _size_or_auto(value: Any) -> Any:
    if value == AUTO:
        return value
    if not isinstance(value, int | str) or isinstance(value, bool):
        raise ValueError(f"a size is a number with a unit; write 4GiB, or {AUTO}")  # noqa: TRY004
    try:
        size = _bytes_from_text(value)
    except ValueError as error:
        raise ValueError(f"{error}, or {AUTO}") from None
    if size <= 0:
        raise ValueError(f"a size is at least 1 byte, and this is {size}; write 4GiB, or {AUTO}")
    return _addressable(size)


SizeOrAuto = Annotated[
    int | Literal["auto"],
    BeforeValidator(_size_or_auto),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": _SIZE_PATTERN},
                {"type": "integer", "minimum": 1},
                {"type": "string", "const": AUTO},
            ],
            "description": "A size in bytes: 4GiB, 512MiB, a plain number, or auto.",
        }
    ),
]
"""A size in bytes, or `auto`: who asks for one says what that comes to."""

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
"""A share, written `1%` or `0.01`; who asks for one says how large it may be."""
