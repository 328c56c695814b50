"""`--device`, as it may be written."""

from __future__ import annotations

import pytest

from trtbuild.core.devices import DeviceChoice, read_device
from trtbuild.core.errors import UsageError


@pytest.mark.parametrize(
    ("asked", "where", "index"),
    [
        ("auto", "auto", None),
        ("CPU", "cpu", None),
        ("cuda", "cuda", None),
        ("cuda:1", "cuda", 1),
        ("2", "auto", 2),
        (0, "auto", 0),
    ],
)
def test_a_device_is_a_place_and_perhaps_an_index(asked, where, index):
    """An index alone chooses the GPU, and demands nothing of ONNX Runtime."""
    assert DeviceChoice(where, index) == read_device(asked)


def test_nothing_asked_is_nothing_chosen():
    """Then the settings may say."""
    assert read_device(None) is None


@pytest.mark.parametrize("asked", ["", "gpu", "cuda:", "cuda:-1", "-1", "cuda:01", "cpu:0"])
def test_anything_else_is_refused_with_what_may_stand_there(asked):
    """One error, with all the forms."""
    with pytest.raises(UsageError) as caught:
        read_device(asked)

    assert "cuda:N" in caught.value.hint
