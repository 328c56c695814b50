"""Unions of kinds, read by the kind that a value names."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import Field, TypeAdapter, ValidationError

from trtbuild.core.kinds import BY_KIND, name_kind
from trtbuild.core.options import Options


class Round(Options):
    kind: Literal["round"]
    radii: tuple[float, ...] = (1.0,)


class Square(Options):
    kind: Literal["square"]
    side: Annotated[float, Field(gt=0)]


class Holder(Options):
    shapes: dict[str, Annotated[Round | Square, BY_KIND]]


class PlainHolder(Options):
    shapes: dict[str, Annotated[Round | Square, Field(discriminator="kind")]]


def test_a_value_is_of_the_kind_that_it_names():
    """Lists of JSON are tuples, as everywhere."""
    held = Holder.model_validate_json('{"shapes": {"a": {"kind": "round", "radii": [2, 3]}}}')

    assert {"a": Round(kind="round", radii=(2, 3))} == held.shapes
    assert held == Holder(shapes=held.shapes)
    assert held == Holder.model_validate_json(held.model_dump_json())


@pytest.mark.parametrize(
    "shape",
    [
        '{"kind": "square"}',
        '{"kind": "square", "side": -1, "edge": 2}',
        '{"kind": "round", "radii": ["a", 1]}',
        '{"kind": "oval"}',
        '{"kind": 7}',
        '{"kind": null}',
        "{}",
        "[]",
        '"round"',
        "null",
    ],
)
def test_what_is_wrong_is_said_as_of_the_whole_union(shape):
    """Place, type, words and context are those of a discriminated union of pydantic's."""
    told = []
    for holder in (PlainHolder, Holder):
        with pytest.raises(ValidationError) as caught:
            holder.model_validate_json(f'{{"shapes": {{"a": {shape}}}}}')
        told.append(caught.value.errors())

    assert told[0] == told[1]


def test_the_schema_is_that_of_the_whole_union():
    """Definitions and the discriminator included."""
    plain = PlainHolder.model_json_schema() | {"title": "Holder"}

    assert plain == Holder.model_json_schema()


def test_kinds_that_are_not_named_are_not_built():
    """Reading builds the validators of what is read."""

    class Other(Options):
        kind: Literal["other"]

    class Named(Options):
        kind: Literal["named"]

    reader = TypeAdapter(Annotated[Other | Named, BY_KIND])

    assert Named(kind="named") == reader.validate_json('{"kind": "named"}')
    assert [True, False] == [each.__pydantic_complete__ for each in (Named, Other)]


def test_a_kind_has_a_name():
    """The one that `kind:` says."""
    assert "round" == name_kind(Round)
