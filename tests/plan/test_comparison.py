"""The comparison in a plan: on all samples, or on some."""

from __future__ import annotations

import pytest

from tests.plan.test_compile import INT8, RECIPE, steps_of
from trtbuild.plan.comparison import SomeSamples, name_some_comparison

COMPARED = """\
data: {eval: {kind: arrays, path: eval.npz}}
compare:
  data: eval
  gates:
    - {metric: sqnr_db, at_least: 20, confidence: 95%}
    - {metric: sqnr_db, drop_from_lock_at_most: 1}
"""


@pytest.mark.parametrize(("of_all", "ran"), [(False, "infer_some(4)"), (True, "infer(candidate)")])
def test_some_samples_are_compared_with_a_run_of_the_reference_over_all(tmp_path, of_all, ran):
    """What few samples cannot judge is left out: how sure a figure is, and what the lock says."""
    steps = steps_of(tmp_path, RECIPE + COMPARED + INT8, some=SomeSamples(4, of_all=of_all))
    made = steps[name_some_comparison(4)]

    assert "compare" not in steps
    assert ("infer(reference)", ran) == (made.reference.step, made.candidate.step)
    assert [(20, None)] == [(gate.at_least, gate.confidence) for gate in made.gates]
    assert 4 == steps["pick_samples(4)"].count


def test_a_run_over_some_goes_on_from_those_over_fewer(tmp_path):
    """Each by the same steps as alone, so that it is found in the store."""
    some, fewer = (
        steps_of(tmp_path, RECIPE + COMPARED + INT8, some=given)
        for given in (SomeSamples(8, fewer=(2, 4)), SomeSamples(4, fewer=(2,)))
    )
    asked = [None, "infer_some(2)", "infer_some(4)"]
    runs = [some[f"infer_some({count})"] for count in (2, 4, 8)]

    assert asked == [None if run.known is None else run.known.outputs.step for run in runs]
    assert runs[1] == fewer["infer_some(4)"]
    assert "infer_some(8)" == some[name_some_comparison(8)].candidate.step
