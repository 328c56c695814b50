"""A union of kinds, of which `kind` says one: it alone is read, and only what is read is built."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, get_args

from pydantic import Field, GetJsonSchemaHandler, ValidationError
from pydantic_core import core_schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import GetCoreSchemaHandler, TypeAdapter
    from pydantic.json_schema import JsonSchemaValue

    from trtbuild.core.options import Options

__all__ = ["BY_KIND", "name_kind"]


def name_kind(kind: type[Options]) -> str:
    """Return what `kind:` says where this class is meant."""
    (name,) = get_args(kind.model_fields["kind"].annotation)
    return str(name)


class _ByKind:
    """Stands in a union's annotation for `Field(discriminator="kind")`, and means the same.

    Pydantic builds the validators of all kinds, in each class that has such a field: a third of
    what a plan takes, which sees a few of them.
    """

    def __get_pydantic_core_schema__(
        self, union: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Read with the kind alone; that kind builds its validator once, for all classes."""
        del handler
        kinds = _Kinds(union)
        return core_schema.with_info_plain_validator_function(kinds.read, metadata={_KINDS: kinds})

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe all kinds."""
        kinds: _Kinds = schema["metadata"][_KINDS]
        return handler(kinds.whole.core_schema)


BY_KIND = _ByKind()
_KINDS = "kinds"


class _Kinds:
    """The kinds of a union."""

    def __init__(self, union: Any) -> None:
        self._union = union

    @cached_property
    def _by_name(self) -> Mapping[Any, type[Options]]:
        return {name_kind(each): each for each in get_args(self._union) or (self._union,)}

    @cached_property
    def whole(self) -> TypeAdapter[Any]:
        """The union as pydantic reads it."""
        from pydantic import TypeAdapter

        union: Any = self._union
        if get_args(union):
            union = Annotated[union, Field(discriminator="kind")]
        return TypeAdapter(union)

    def read(self, value: Any, info: core_schema.ValidationInfo) -> Any:
        """Return a value as one of the kinds; what is wrong with it, the whole union says.

        Raises:
            ValidationError: it is none.
        """
        if isinstance(value, tuple(self._by_name.values())):
            return value
        name = value.get("kind") if isinstance(value, dict) else None
        kind = self._by_name.get(name) if isinstance(name, str) else None
        as_json = info.mode == "json"
        if kind is not None:
            try:
                if as_json:
                    return kind.model_validate_json(json.dumps(value))
                return kind.model_validate(value)
            except ValidationError:
                pass
        if as_json:
            return self.whole.validate_json(json.dumps(value))
        return self.whole.validate_python(value)
