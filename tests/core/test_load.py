"""What is asked of requests that come at a rate."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from trtbuild.core.load import Load


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"rates": ()}, "at least 1 item"),
        ({"rates": (0.0,)}, "greater than 0"),
        ({"rates": (1e6,), "seconds": 3600.0}, "more than 2000000 requests"),
        ({"rates": (0.01,)}, "not one request"),
        ({"rates": (1.0,), "max_batch": 0}, "greater than or equal to 1"),
    ],
)
def test_what_makes_no_sense_is_refused(given, said):
    """Before anything runs."""
    with pytest.raises(ValidationError, match=said):
        Load(**given)


def test_it_is_said_in_words():
    """What is not asked for is left out."""
    asked = Load(rates=(5.0,), arrivals="uniform")

    assert "requests that come evenly for 10 s, one a call" == asked.describe()
    more = Load(rates=(5.0,), seconds=2.5, max_batch=8, max_wait_ms=2.0)
    said = "requests that come by chance for 2.5 s, up to 8 a call, held 2 ms for more"
    assert said == more.describe()
