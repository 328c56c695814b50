"""The small artifacts of a run."""

from __future__ import annotations

import pytest

from tests.helpers.records import digest
from trtbuild.core.errors import CorruptObject
from trtbuild.core.records import Outcome
from trtbuild.core.values import Range, Ranges
from trtbuild.verbs.run_artifacts import RunArtifacts

RANGES = Ranges(tensors={"x": Range(low=-1.0, high=1.0, origin="manual")})


@pytest.fixture
def found(store, tmp_path):
    """A run whose one step left a table of ranges."""
    (tmp_path / "r").write_text(RANGES.model_dump_json())
    artifact = store.add(tmp_path / "r", "ranges")
    step = Outcome(step="quantize", digest=digest("q"), status="ran", artifacts=(artifact,))
    return RunArtifacts((step,), store)


def test_an_artifact_is_read_as_a_value_or_is_not_there(found):
    """A step that did not run left none."""
    assert RANGES == found.read("quantize", "ranges", Ranges)
    assert found.read("calibrate", "ranges", Ranges) is None


def test_what_was_not_read_is_held_to_its_digest(found, store):
    """Of the outputs that are named; what was read was held to it then."""
    (step,) = found._artifacts.values()
    path = store.object_path(step.digest)
    found.verify_unread(("ranges",))
    path.chmod(0o600)
    path.write_bytes(path.read_bytes().replace(b"1.0", b"2.0"))

    found.verify_unread(("account",))
    with pytest.raises(CorruptObject, match="ranges in the store was damaged"):
        found.verify_unread(("ranges",))
