"""A union of kinds, of which `kind` says one: it alone is loaded, read and built.

So is a section that most recipes do without.
"""

from __future__ import annotations

import json
import sys
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Union, get_args

from pydantic import Field, GetJsonSchemaHandler
from pydantic_core import SchemaValidator, ValidationError, core_schema

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Annotated as OneOf
    from typing import Annotated as WhereNamed

    from pydantic import GetCoreSchemaHandler, TypeAdapter
    from pydantic.json_schema import JsonSchemaValue

    from trtbuild.core.options import Options

__all__ = ["OneOf", "WhereNamed", "find_kind", "find_union", "load_kinds", "name_kind"]


def name_kind(kind: type[Options]) -> str:
    """Return what `kind:` says where this class is meant."""
    (name,) = get_args(kind.model_fields["kind"].annotation)
    return str(name)


class _OneOf:
    """A union, as `OneOf["arrays.Arrays | images.Images", __name__]`: in words, loaded when named.

    To a type checker it is `Annotated`, and the words are that union. Here they are `module.Class`
    with modules of the same package, or what is in that very module: a class, or another union. To
    pydantic it means `Field(discriminator="kind")`, which would have all kinds loaded and their
    validators built, in each class that has such a field: half of what a plan takes, which sees a
    few of them.
    """

    words = ""
    home = ""

    def __class_getitem__(cls, said: tuple[str, str]) -> type[_OneOf]:
        return type(cls.__name__, (cls,), {"words": said[0], "home": said[1]})

    @classmethod
    @cache
    def places(cls) -> tuple[tuple[str, str], ...]:
        """Name the module and the class of each kind."""
        return tuple(cls._places())

    @classmethod
    def _places(cls) -> Iterator[tuple[str, str]]:
        home = sys.modules[cls.home]
        for words in cls.words.split("|"):
            module, _, name = words.strip().rpartition(".")
            other = None if module else find_union(getattr(home, name))
            if other is not None:
                yield from other.places()
            else:
                yield (f"{home.__package__}.{module}" if module else cls.home), name

    @classmethod
    @cache
    def kinds(cls) -> tuple[type[Options], ...]:
        """Load all of them."""
        return tuple(map(_load, cls.places()))

    @classmethod
    @cache
    def find(cls, name: str) -> type[Options] | None:
        """Return the kind of a name; loads little else, since its class has that word in its name.

        None where there is no such kind, which only all of them can tell.
        """
        word = name.replace("_", "")
        places = sorted(cls.places(), key=lambda place: word not in place[1].lower())
        return next((each for each in map(_load, places) if name_kind(each) == name), None)

    @classmethod
    @cache
    def whole(cls) -> TypeAdapter[Any]:
        """The union as pydantic reads it."""
        from typing import Annotated

        from pydantic import TypeAdapter

        union: Any = Union[cls.kinds()]  # noqa: UP007  # made from a tuple
        if get_args(union):
            union = Annotated[union, Field(discriminator="kind")]
        return TypeAdapter(union)

    @classmethod
    def holds(cls, value: object) -> bool:
        """Tell whether a value is of one of the kinds; what is not loaded has no values."""
        loaded = (
            getattr(sys.modules[module], name, ())
            for module, name in cls.places()
            if module in sys.modules
        )
        return isinstance(value, tuple(loaded))

    @classmethod
    def read(cls, value: Any, info: core_schema.ValidationInfo) -> Any:
        """Return a value as one of the kinds.

        Raises:
            ValidationError: it is none; as the whole union would say it.
        """
        if cls.holds(value):
            return value
        name = value.get("kind") if isinstance(value, dict) else None
        kind = cls.find(name) if isinstance(name, str) else None
        text = json.dumps(value) if info.mode == "json" else None
        if kind is not None:
            try:
                if text is None:
                    return kind.model_validate(value)
                return kind.model_validate_json(text)
            except ValidationError:
                pass
        reader = cls.whole() if kind is None else _make_reader(kind)
        return reader.validate_python(value) if text is None else reader.validate_json(text)

    @classmethod
    def __get_pydantic_core_schema__(
        cls, union: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Read with the kind alone; that kind builds its validator once, for all classes."""
        del union, handler
        return core_schema.with_info_plain_validator_function(cls.read)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe all kinds."""
        del schema
        return handler(cls.whole().core_schema)


class _WhereNamed(_OneOf):
    """A section, as `WhereNamed["section.Bench", __name__]`: in words, loaded where it is named.

    To a type checker and to pydantic it means that class.
    """

    @classmethod
    def read(cls, value: Any, info: core_schema.ValidationInfo) -> Any:
        """Return a value as the section.

        Raises:
            ValidationError: it is none.
        """
        if cls.holds(value):
            return value
        (section,) = cls.kinds()
        if info.mode == "json":
            return section.model_validate_json(json.dumps(value))
        return section.model_validate(value)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe the section: as a part, since of a whole the handler drops the fields' texts."""
        del schema
        return handler(core_schema.union_schema([cls.whole().core_schema]))


if not TYPE_CHECKING:
    OneOf, WhereNamed = _OneOf, _WhereNamed


def find_union(annotation: Any) -> type[_OneOf] | None:
    """Return what a `OneOf` is when the program runs; None for any other type."""
    return annotation if isinstance(annotation, type) and issubclass(annotation, _OneOf) else None


def find_kind(union: Any, name: str) -> type[Options] | None:
    """Return the kind of a `OneOf` that has a name; None where it has no such kind."""
    found = find_union(union)
    return None if found is None else found.find(name)


def load_kinds(union: Any) -> tuple[type[Options], ...]:
    """Return the kinds of a `OneOf`, in its order; loads them all."""
    found = find_union(union)
    return () if found is None else found.kinds()


def _load(place: tuple[str, str]) -> type[Options]:
    module, name = place
    found: type[Options] = getattr(import_module(module), name)
    return found


@cache
def _make_reader(kind: type[Options]) -> SchemaValidator:
    """Return what says where a value of a kind is wrong: below the kind's name, as in a union."""
    choices = {name_kind(kind): kind.__pydantic_core_schema__}
    return SchemaValidator(core_schema.tagged_union_schema(choices, discriminator="kind"))
