"""What a change to a recipe demands less of its results."""

from __future__ import annotations

import pytest

from trtbuild.verbs.diff_demands import find_loosened
from trtbuild.verbs.lock_names import flatten_options


def facts(*gates, **sections):
    compare = {"data": "eval", "gates": list(gates)}
    data = {"eval": {"kind": "images", "count": 280}, "calib": {"kind": "images", "count": 64}}
    return dict(flatten_options({"compare": compare, "data": data, **sections}))


def loosened(before, after):
    return [f"{each.what}: {each.told}" for each in find_loosened(before, after)]


SQNR = {"metric": "sqnr_db", "at_least": 20.0}
TOP1 = {"metric": "top1", "drop_at_most": 0.01}
BOTH = {"metric": "cosine", "at_least": 0.9, "at_most": 1.0}


@pytest.mark.parametrize(
    ("expected", "before", "after"),
    [
        ([], [SQNR, TOP1], [TOP1, SQNR]),
        ([], [SQNR], [{**SQNR, "at_least": 25.0}]),
        ([], [{**SQNR, "output": "y"}], [SQNR]),
        (["Gate removed: top1 drop ≤ 1 point"], [SQNR, TOP1], [SQNR]),
        (["Gate loosened: sqnr_db ≥ 20 → ≥ 12"], [SQNR], [{**SQNR, "at_least": 12.0}]),
        (
            ["Gate loosened: top1 drop ≤ 1 point → drop ≤ 2 points"],
            [TOP1],
            [{**TOP1, "drop_at_most": 0.02}],
        ),
        (
            ["Gate loosened: sqnr_db ≥ 20: of y alone, no more of every output"],
            [SQNR],
            [{**SQNR, "output": "y"}],
        ),
        (["Gate removed: cosine ≤ 1"], [BOTH], [{"metric": "cosine", "at_least": 0.9}]),
        (["Gate removed: sqnr_db of y ≥ 20"], [{**SQNR, "output": "y"}], []),
    ],
)
def test_a_rule_that_nothing_replaces_is_lost(expected, before, after):
    """Order does not count, nor does a rule that another one demands as well."""
    assert expected == loosened(facts(*before), facts(*after))


def test_the_strictest_of_two_rules_is_what_counts():
    """Where the lax one alone is left, something is demanded less."""
    lax = {**SQNR, "at_least": 12.0}

    assert [] == loosened(facts(SQNR, lax), facts(SQNR))
    assert ["Gate loosened: sqnr_db ≥ 20 → ≥ 12"] == loosened(facts(SQNR, lax), facts(lax))


def test_a_comparison_that_is_gone_takes_its_gates_along():
    """Each is named; that it has no data any more goes without saying."""
    assert ["Gate removed: sqnr_db ≥ 20"] == loosened(facts(SQNR), {})


def test_gates_that_are_judged_on_something_else_are_not_the_same_gates():
    """Fewer samples, other data, another reference; what calibration sees is not meant."""
    before, after = facts(SQNR), {**facts(SQNR), "data.eval.count": 10, "data.calib.count": 1}

    assert ["Gates judged otherwise: data.eval.count: 280 → 10"] == loosened(before, after)
    assert [] == loosened(facts(), {**facts(), "data.eval.count": 10})


def test_what_is_let_through_is_said_too():
    """Layers that may be float, rules that are off, weights that need not be there."""
    after = facts(
        quantization={"allow_float": ["op:Conv"]},
        checks={"off": {"TB303": "tiny"}},
        model={"without_weights": "seeded"},
    )

    assert [
        "Allowed to come out in float: op:Conv",
        "Check turned off: TB303: tiny",
        "Weights may be missing: model.without_weights: seeded",
    ] == loosened(facts(), after)
    assert [] == loosened(after, facts())
