"""What the schema expects, and how it is said."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import Field

from trtbuild.backends import Target
from trtbuild.calib.kinds import Calibrator
from trtbuild.core.options import ByteSize, Share
from trtbuild.recipe.schema import Bounds, Recipe
from trtbuild.recipe.schema_places import (
    describe_limits,
    describe_type,
    find_place,
    find_sections_with,
    join_names,
    list_kinds,
)


@pytest.mark.parametrize(
    ("expected", "loc"),
    [
        ((), ()),
        (("name",), ("name",)),
        (("quantization", "calibrator"), ("quantization", "calibrator")),
        (
            ("quantization", "calibrator", "percentile"),
            ("quantization", "calibrator", "percentile", "percentile"),
        ),
        (("fixes", 2, "axis"), ("fixes", 2, "set_dimension", "axis")),
        (("targets", "kind"), ("targets", "kind")),
        (("targets", "tensorrt_rtx", "kind"), ("targets", "tensorrt_rtx", "onnxruntime", "kind")),
        (
            ("data", "images", "images"),
            ("data", "images", "images", "images"),
        ),
        (
            ("data", "python", "options", "kind"),
            ("data", "python", "python", "options", "kind", "int"),
        ),
        (
            ("data", "python", "options", "int"),
            ("data", "python", "python", "options", "int", "int"),
        ),
        (
            ("quantization", "ranges", "float", 1),
            ("quantization", "ranges", "float", "tuple[float, float]", 1),
        ),
    ],
)
def test_a_loc_becomes_a_path_of_the_file(expected, loc):
    """Names of kinds and of tried types are taken out, even where a key has the same name."""
    assert expected == find_place(loc).path


def test_a_place_knows_its_owner_and_its_kinds():
    """So that a message can say whose option something is not."""
    place = find_place(("quantization", "calibrator", "percentile", "percentil"))

    assert "Percentile" == place.owner.__name__
    assert "calibrator" == place.family
    assert {"minmax", "entropy2", "percentile"} <= set(place.siblings)


@pytest.mark.parametrize(
    ("expected", "annotation"),
    [
        ("text", str),
        ("a whole number", int),
        ("a number", float),
        ("true or false", bool),
        ("`a` or `b`", Literal["a", "b"]),
        ("a list of 2 whole numbers", tuple[int, int]),
        ("a list of numbers", tuple[float, ...]),
        ("a list", tuple[str, ...]),
        ("a whole number or a list of 2 whole numbers", int | tuple[int, int] | None),
        ("a number, text or true or false", int | float | str | bool),
        ("a limit (6.0 means -6 to 6) or [low, high]", Bounds),
        ("a mapping", dict[str, int]),
        ("a mapping", Recipe),
        ("a size in bytes: 4GiB, 512MiB, or a plain number", ByteSize),
        ("a share: 1% or 0.01", Share),
        (f"a mapping with a `kind` ({', '.join(sorted(list_kinds(Target)))})", Target),
    ],
)
def test_types_are_said_in_words(expected, annotation):
    """No message says `tuple[constrained-int, ...]`."""
    assert expected == describe_type(annotation)


@pytest.mark.parametrize(
    ("expected", "annotation"),
    [
        ("at least 1", Annotated[int, Field(gt=0)]),
        ("more than 0", Annotated[float, Field(gt=0)]),
        ("more than 50 and at most 100", Annotated[float, Field(gt=50, le=100)]),
        ("at least 0 and less than 8", Annotated[int, Field(ge=0, lt=8)] | None),
        ("", int),
    ],
)
def test_limits_are_said_whole(expected, annotation):
    """Both ends, whichever was overstepped."""
    assert expected == describe_limits(annotation, ())


def test_kinds_are_read_from_the_union():
    """There is no second list of them."""
    assert "Percentile" == list_kinds(Calibrator)["percentile"].__name__
    assert {} == list_kinds(int | str)


def test_small_things():
    """Lists are joined as in a sentence; options are found in their section."""
    assert ["a", "a or b", "a, b or c"] == [
        join_names(list(each), "or") for each in ("a", "ab", "abc")
    ]
    assert ["compare"] == find_sections_with("metrics")
    assert ["quantization", "compare", "bench"] == find_sections_with("data")
