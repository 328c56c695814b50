"""Options read strictly, say what their fields mean, and know where paths stand."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from trtbuild.core.errors import CorruptObject
from trtbuild.core.options import (
    ByteSize,
    Location,
    Options,
    Share,
    describe_fields,
    find_location_fields,
    relocate,
)

SIZE = TypeAdapter(ByteSize)
MOST = 2**63 - 1


class Part(Options):
    file: Location
    """Where it lies."""
    name: str = ""


class Whole(Part):
    """A class with one of everything that may hold a location."""

    count: int = 0
    """How many."""
    more: tuple[Part, ...] = ()
    others: dict[str, Location] = {}
    maybe: Location | None = None


@pytest.mark.parametrize(
    "text",
    [
        '{"file": "a", "count": "3"}',
        '{"file": "a", "count": 3.0}',
        '{"file": "a", "conut": 3}',
        '{"count": 3}',
        '{"file": "a", "count": true}',
    ],
)
def test_nothing_is_guessed(text):
    """No text becomes a number, and a misspelt field is no field."""
    with pytest.raises(ValidationError):
        Whole.model_validate_json(text)


def test_a_value_survives_the_round_trip_and_cannot_be_changed():
    """Lists of JSON are tuples again; a frozen value can be a key."""
    value = Whole(file="/a", more=(Part(file="b"),), others={"x": "/c"})

    assert value == Whole.model_validate_json(value.model_dump_json())
    with pytest.raises(ValidationError, match="frozen"):
        value.count = 1


def test_what_another_trtbuild_wrote_is_said_to_be_that():
    """It is no bug and no traceback: the store may go."""
    with pytest.raises(CorruptObject, match="the account was written by another") as caught:
        Part.read_json(b'{"older": 1}', what="the account")
    assert "store" in caught.value.hint


def test_fields_are_described_by_the_text_below_them():
    """Inherited ones too; a field without text has none. Editors are told the same."""
    assert {"file": "Where it lies.", "count": "How many."} == describe_fields(Whole)
    assert "How many." == Whole.model_json_schema()["properties"]["count"]["description"]


def test_locations_are_found_in_whatever_holds_them():
    """Alone, in a mapping, or where there may be none."""
    assert {"file", "others", "maybe"} == find_location_fields(Whole)


def test_relocating_moves_absolute_paths_and_nothing_else():
    """Not a relative path, and not a text that only looks like a path."""
    before = Whole(
        file="/old/a",
        name="/old/name",
        more=(Part(file="/old/b"), Part(file="c")),
        others={"/old/key": "/old/d"},
    )
    after = Whole(
        file="/new/a",
        name="/old/name",
        more=(Part(file="/new/b"), Part(file="c")),
        others={"/old/key": "/new/d"},
    )

    assert after == relocate(before, lambda path: path.replace("/old", "/new"))


@pytest.mark.parametrize(
    ("expected", "written"),
    [(2**32, "4GiB"), (1500, "1.5 kB"), (512 * 2**20, "512MiB"), (7, "7B"), (7, 7)],
)
def test_a_size_is_a_number_with_a_unit(expected, written):
    """Powers of 1024 are written with an i; a plain number is bytes."""
    assert expected == TypeAdapter(ByteSize).validate_python(written)


@pytest.mark.parametrize(("expected", "written"), [(0.01, "1%"), (0.125, "12.5 %"), (0.5, 0.5)])
def test_a_share_may_be_written_in_percent(expected, written):
    """1% is 0.01."""
    assert expected == TypeAdapter(Share).validate_python(written)


@pytest.mark.parametrize(("kind", "written"), [(ByteSize, "4 gib"), (Share, "1 percent")])
def test_what_is_neither_says_how_to_write_it(kind, written):
    """With an example that would be taken."""
    with pytest.raises(ValidationError, match=r"write .*(4GiB|1%)"):
        TypeAdapter(kind).validate_python(written)


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (4 << 30, "4GiB"),
        (1_500_000, "1.5 MB"),
        (9007199254740993, "9007199254740993B"),
        (MOST, f"{MOST}B"),
        (2, "0" * 400 + "2B"),
        (0, "0." + "0" * 400 + "1GiB"),
    ],
)
def test_a_size_is_exact(expected, text):
    """Beyond the 53 bits of a float too."""
    assert expected == SIZE.validate_python(text)


@pytest.mark.parametrize("size", ["1" * 309 + "GiB", f"{MOST + 1}B", MOST + 1, "9" * 5000 + "B"])
def test_a_size_beyond_all_memory_is_refused(size):
    """309 digits are infinity as a float, which is no size and was a traceback."""
    with pytest.raises(ValidationError, match="no memory is so large"):
        SIZE.validate_python(size)


def test_a_share_of_hundreds_of_digits_is_a_number():
    """Neither infinity nor an error of another kind."""
    share = TypeAdapter(Share)

    assert 0.01 == share.validate_python("0" * 400 + "1%")
    assert share.validate_python("1" * 400 + "%") < float("inf")
