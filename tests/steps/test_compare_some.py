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
from trtbuild.store.store import Store
from trtbuild.verbs.tuning import levels
from trtbuild.verbs.tuning.candidates import SECTION, Candidate
from trtbuild.verbs.tuning.workshop import Workshop

AS_IT_IS = Candidate()


class Counting(QuietListener):
    """Remembers over how many samples each step ran a model."""

    def __init__(self):
        self.totals = {}

    def progressed(self, progress):
        if progress.name.startswith(("infer_some", "infer(candidate)")):
            self.totals[progress.name] = progress.total


@pytest.fixture
def listener():
    """Tell over how many samples models ran."""
    return Counting()


@pytest.fixture
def compare(tmp_path, store, listener):
    """Compare a candidate of the needy recipe, on some samples or all 16, or in a new store."""
    loaded = load_recipe(needy_project(tmp_path / "project"))
    lines = read_lines(loaded, SECTION)
    other = Workshop(loaded, lines, Store(tmp_path / "other"), Inline(), listener)
    made = Workshop(loaded, lines, store, Inline(), listener)

    def run(some, candidate=AS_IT_IS, *, afresh=False) -> Comparison:
        return (other if afresh else made).compare(candidate, Trial(what=""), some=some)[1]

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


@pytest.mark.parametrize("counts", [(2, 8), (2, 8, 0), (8, 0)])
def test_more_samples_go_on_from_what_fewer_made(compare, listener, monkeypatch, counts):
    """What was run is not run again, and the figures are those of a run over all of them."""
    other = Candidate({"weights": {"kind": "mse"}})
    at_once = compare(counts[-1], other, afresh=True)
    monkeypatch.setattr(levels, "FEW", counts[0])
    listener.totals.clear()
    found = [compare(count, other) for count in counts][-1]
    names = [f"infer_some({count})" if count else "infer(candidate)" for count in counts]
    ran = [(count or 16) - before for before, count in zip((0, *counts), counts, strict=False)]

    assert dict(zip(names, ran, strict=True)) == listener.totals
    assert (at_once.data, figures(at_once)) == (found.data, figures(found))
