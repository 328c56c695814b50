"""Parts of data, in whole batches and no more than they are worth."""

from __future__ import annotations

import pytest

from trtbuild.core.errors import UsageError
from trtbuild.verbs.init.found_data import make_part


def test_a_part_is_whole_batches():
    """As many as are worth their time; `count` is said where it leaves some out."""
    assert (8, {"path": "x", "count": 8}) == (
        (part := make_part({"path": "x"}, 9, 100, 4)).count,
        part.options,
    )
    assert {"path": "x"} == make_part({"path": "x"}, 8, 100, 4).options
    assert 4 == make_part({"path": "x"}, 9, 6, 4).count


def test_less_than_a_batch_is_refused():
    """The model takes so many at once."""
    with pytest.raises(UsageError, match="holds 3 samples, and the model takes 4 at once"):
        make_part({"path": "x"}, 3, 100, 4)
