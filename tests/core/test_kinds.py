"""Unions of kinds, read by the kind that a value names."""

from __future__ import annotations

import importlib
import sys
from typing import Annotated, Literal

import pytest
from pydantic import Field, TypeAdapter, ValidationError

from trtbuild.core.kinds import OneOf, find_kind, load_kinds, name_kind
from trtbuild.core.options import Options


class Round(Options):
    kind: Literal["round"]
    radii: tuple[float, ...] = (1.0,)


class Square(Options):
    kind: Literal["square"]
    side: Annotated[float, Field(gt=0)]


class Oval(Options):
    kind: Literal["oval"]


Shape = OneOf["Round | Square", __name__]


class Holder(Options):
    shapes: dict[str, Shape]


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


@pytest.fixture
def stones(tmp_path, monkeypatch):
    """A package of two kinds in two modules, and a union of both and one that stands beside it."""
    folder = tmp_path / "stones"
    folder.mkdir()
    for module, name in (("hard", "Granite"), ("soft", "LimeStone")):
        (folder / f"{module}.py").write_text(
            "from typing import Literal\n"
            "from trtbuild.core.options import Options\n"
            f"class {name}(Options):\n"
            f"    kind: Literal['{'lime' if module == 'soft' else name.lower()}']\n"
        )
    (folder / "__init__.py").write_text(
        "from trtbuild.core.kinds import OneOf\n"
        "Stone = OneOf['hard.Granite | soft.LimeStone', __name__]\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("stones").Stone
    for name in [each for each in sys.modules if each.partition(".")[0] == "stones"]:
        del sys.modules[name]


def test_kinds_that_are_not_named_are_not_loaded(stones):
    """Reading loads, and builds the validator of, what is read; a value of a kind needs neither."""
    reader = TypeAdapter(stones)
    read = reader.validate_json('{"kind": "lime"}')

    assert "LimeStone" == type(read).__name__
    assert read is reader.validate_python(read)
    assert "stones.hard" not in sys.modules


def test_whoever_asks_for_all_kinds_loads_them(stones):
    """In the order of the union; one is found by its name, and none by another."""
    assert "LimeStone" == find_kind(stones, "lime").__name__
    assert find_kind(stones, "stone") is None
    assert ["granite", "lime"] == [name_kind(each) for each in load_kinds(stones)]
    assert () == load_kinds(str)


def test_a_union_may_hold_another():
    """What has no module before it is in the module of the union."""
    assert (Round, Square, Oval) == load_kinds(OneOf["Shape | Oval", __name__])


def test_a_kind_has_a_name():
    """The one that `kind:` says."""
    assert "round" == name_kind(Round)
