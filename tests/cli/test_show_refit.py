"""What a terminal is told of a refit."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.records import good
from trtbuild.cli.form import Form
from trtbuild.cli.show_refit import demand_refitted, write_refit
from trtbuild.core.drift import Drift, TensorDrift
from trtbuild.core.errors import MissingDependency
from trtbuild.verbs.refit.refit import RefitReport

ENGINE = Path("build/r/it/model.engine")
MOVED = TensorDrift(name="a", before=1.0, after=1.5, limit=2.0)
STILL = TensorDrift(name="b", before=1.0, after=1.0, limit=2.0)


def test_a_refit_is_told_with_its_drift_and_its_gates(capsys):
    """Kernels are what they were; where the results lie."""
    drift = Drift(samples=8, tensors=(MOVED, STILL))
    found = RefitReport(ENGINE, (), drift, 3, good(), Path("out"))
    write_refit(found, form=Form.text)
    demand_refitted(found)

    said = capsys.readouterr().out
    assert "on 8 samples, values of 1 of 2 tensors with a range moved, at most 1.50 times" in said
    assert "  `a`: 1 → 1.5, 1.50 times larger\n" in said
    assert said.endswith("3 weights replaced; kernels are those of before\nresults in out\n")


def test_without_data_it_says_that_nothing_was_held(capsys):
    """Silence would read as if no value had moved."""
    found = RefitReport(ENGINE, (), None, 1, good(), Path("out"), "no GPU")
    write_refit(found, form=Form.text)

    assert "no ranges were held to the new weights" in capsys.readouterr().out
    with pytest.raises(MissingDependency, match="it cannot be refitted here: no GPU"):
        demand_refitted(found)
