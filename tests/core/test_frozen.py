"""Frozen values are what dataclasses make of them."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Mapping
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, replace
from typing import ClassVar

import pytest

from trtbuild.core.frozen import frozen


@frozen
class Point:
    unit: ClassVar[str] = "mm"

    x: int
    y: int = 2
    seen: Mapping[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.x}/{self.y}"


@dataclass(frozen=True)
class Plain:
    x: int
    y: int = 2
    seen: Mapping[str, int] = field(default_factory=dict)


def test_values_are_given_by_place_or_by_name():
    """Or by nobody, where there is a default; one made for each is of each alone."""
    point = Point(1)

    assert Point(1, 2, {}) == point == Point(y=2, x=1)
    assert (1, 2, {}, "mm", "1/2") == (point.x, point.y, point.seen, point.unit, str(point))
    assert point.seen is not Point(1).seen
    assert repr(Plain(1, y=3)).replace("Plain", "Point") == repr(Point(1, y=3))


@pytest.mark.parametrize("cls", [Point, Plain])
@pytest.mark.parametrize(
    ("values", "named"),
    [((), {}), ((1, 2, {}, 4), {}), ((1,), {"x": 1}), ((1,), {"z": 1}), ((), {"z": 1})],
)
def test_too_much_or_too_little_is_refused(cls, values, named):
    """As a wrong call is."""
    with pytest.raises(TypeError):
        cls(*values, **named)


def test_a_value_does_not_change():
    """Neither is a field set nor taken away."""
    point = Point(1)
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'x'"):
        point.x = 2
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'x'"):
        del point.x


def test_values_are_equal_by_their_fields():
    """Within their class; equal ones have one hash."""
    assert Point(1) != Point(1, 3)
    assert Point(1) != Plain(1)
    assert {Point(1, seen=())} == {Point(1, seen=()), Point(1, seen=())}


def test_what_knows_dataclasses_knows_them():
    """Fields, changed copies, trees of plain values, copies and pickles."""
    point = Point(1, seen={"a": 1})

    assert ["x", "y", "seen"] == [each.name for each in fields(Point)]
    assert Point(1, 5, {"a": 1}) == replace(point, y=5)
    assert asdict(Plain(1, seen={"a": 1})) == asdict(point)
    assert point == copy.deepcopy(point) == pickle.loads(pickle.dumps(point))  # noqa: S301
    match point:
        case Point(x, y):
            assert (1, 2) == (x, y)
