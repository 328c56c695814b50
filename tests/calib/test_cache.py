"""A cache instead of a calibration."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from trtbuild.calib.cache import Cache
from trtbuild.calib.kinds import RangeSource
from trtbuild.core.options import find_location_fields


def test_its_path_is_no_ingredient():
    """What counts is the digest of the file."""
    cache = TypeAdapter(RangeSource).validate_json('{"kind": "cache", "path": "old.cache"}')

    assert frozenset({"path"}) == find_location_fields(Cache)
    assert (Path("/recipes/old.cache"),) == cache.find_files(Path("/recipes"))


def test_it_needs_a_path():
    """There is no default place."""
    with pytest.raises(ValidationError, match="path"):
        TypeAdapter(RangeSource).validate_json('{"kind": "cache"}')
