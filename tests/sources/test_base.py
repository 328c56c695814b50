"""A source says by itself only what is particular to it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from trtbuild.sources.base import Source
from trtbuild.sources.sizes import Sizes


class Plain(Source):
    kind: Literal["plain"] = "plain"
    path: str = "net"

    @property
    def place(self):
        return self.path


def test_what_a_source_does_not_say_is_nothing():
    """It fetches nothing, runs nothing, and is described by its kind and place."""
    source = Plain()

    assert "plain net" == source.describe()
    assert ("path", True) == (source.place_option, source.is_here())
    assert (None, False, False) == (source.published, source.may_be_seeded, source.runs_alone)
    assert ((), Sizes()) == (source.find_inputs(Path()), source.sizes([], {}))
    assert (None, ("onnx",)) == (source.user_code("/", ()), source.libraries())
