"""Steps, read by the kind that they name."""

from __future__ import annotations

import subprocess
import sys

import pytest

from trtbuild.core.kinds import load_kinds, name_kind
from trtbuild.steps.any_step import AnyStep, read_step


def test_a_worker_loads_the_kind_of_step_that_it_runs():
    """The others, and what they stand on, would take it longer than a small step does."""
    code = (
        "import sys; from trtbuild.core.kinds import find_kind\n"
        "from trtbuild.steps.any_step import AnyStep\n"
        "find_kind(AnyStep, 'compare'); print(*sys.modules)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()

    assert "trtbuild.steps.compare" in loaded
    assert not {"trtbuild.steps.calibrate", "trtbuild.steps.import_model"} & set(loaded)


def test_no_two_kinds_have_one_name():
    """Each is found by its own."""
    names = [name_kind(each) for each in load_kinds(AnyStep)]

    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("value", [{"kind": "nope"}, {"kind": 7}, {}, [], None])
def test_what_names_no_kind_is_no_step(value):
    """And it says which name that is."""
    with pytest.raises(ValueError, match="is no kind of step"):
        read_step(value)
