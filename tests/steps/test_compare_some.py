"""Models run on samples that were picked, and compared there as on all."""

from __future__ import annotations

import pytest

from tests.helpers.tuning import needy_project
from trtbuild.core.comparison import Comparison
from trtbuild.core.tuning import Trial
from trtbuild.recipe.lines import read_lines
from trtbuild.recipe.load import load_recipe
from trtbuild.run.executor import QuietListener
from trtbuild.run.inline import Inline
from trtbuild.verbs.tuning.candidates import SECTION, Candidate
from trtbuild.verbs.tuning.workshop import Workshop

AS_IT_IS = Candidate()


@pytest.fixture
def compare(tmp_path, store):
    """Compare a candidate of the needy recipe, on some samples or all 16."""
    loaded = load_recipe(needy_project(tmp_path / "project"))
    made = Workshop(loaded, read_lines(loaded, SECTION), store, Inline(), QuietListener())

    def run(some, candidate=AS_IT_IS) -> Comparison:
        return made.compare(candidate, Trial(what=""), some=some)[1]

    return run


def figures(found: Comparison) -> dict[str, float | None]:
    return {f"{each.output} {each.metric}": each.value for each in found.measures}


def test_all_samples_picked_are_as_all(compare):
    """The same figures and verdicts, whether the outputs are taken from a run over all or not."""
    whole, some = compare(0), compare(16)
    other = compare(16, Candidate({"weights": {"kind": "mse"}}))

    assert figures(whole) == pytest.approx(figures(some))
    assert [each.passed for each in whole.verdicts] == [each.passed for each in some.verdicts]
    assert 16 == other.samples


def test_few_samples_are_spread_and_counted(compare):
    """Those of the candidate alone are run; of the recipe as it is and the reference, none."""
    few, own = compare(4), compare(4, Candidate(floats=("first",)))

    assert (4, 4) == (few.samples, own.samples)
    assert few.data == own.data != compare(0).data
    assert (True, False) == (own.verdicts[0].passed, few.verdicts[0].passed)
