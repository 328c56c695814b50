"""What is asked of a bench."""

from __future__ import annotations

import pytest

from trtbuild.core.errors import UsageError
from trtbuild.core.protocol import Protocol
from trtbuild.verbs.benching.request import choose_protocol, choose_runners, parse_shapes


def test_what_is_typed_wins():
    """Seconds take the place of a number of calls."""
    own = Protocol(iterations=400, rounds=10)

    assert Protocol(rounds=10, seconds=3.0) == choose_protocol(own, {"seconds": 3.0})
    assert Protocol(streams=(1, 4)) == choose_protocol(None, {"streams": [1, 4]})
    with pytest.raises(UsageError, match="protocol's `threads`"):
        choose_protocol(None, {"threads": -1})


def test_shapes_are_written_as_sizes_by_input():
    """Several inputs of one set, and several sets."""
    assert ({"x": (1, 3), "m=0": (2,)}, {"x": (4, 3)}) == parse_shapes(["x=1x3,m=0=2", "x=4x3"])
    for wrong in ("x", "x=", "=1", "x=1xa", "x=0"):
        with pytest.raises(UsageError, match="is no shape"):
            parse_shapes([wrong])


def test_all_runners_are_tried_unless_some_are_named():
    """Each under its own name."""
    every = choose_runners(())

    assert len({each.label() for each in every}) == len(every) >= 2
    assert every[:1] == choose_runners(every[:1])
