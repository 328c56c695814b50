"""What every kind of metric with options does."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.measuring import begun, metric_of

COUNT = 6
RNG = np.random.default_rng(0)


def noisy(rows):
    return [row + RNG.normal(0, 0.1, row.shape).astype(row.dtype) for row in rows]


def rows_of(*shape):
    return [RNG.random(shape).astype(np.float32) for _ in range(COUNT)]


VECTORS, PICTURES, SCORES = rows_of(5), rows_of(3, 12, 12), rows_of(7, 4)
BOXES = [
    np.concatenate([each * 50, each * 50 + 20, RNG.random((9, 2))], 1) for each in rows_of(9, 2)
]
CASES = {
    "classification": (VECTORS, {"labels": [0, 1, 2, 3, 4, 0]}),
    "detection": (BOXES, {"options": {"layout": {"kind": "end_to_end"}}}),
    "segmentation": (PICTURES, {"truths": [np.argmax(each, 0) for each in PICTURES]}),
    "embedding": (VECTORS, {"labels": [0, 1, 2, 0, 1, 2], "options": {"neighbours": [1, 3]}}),
    "image": (PICTURES, {"truths": noisy(PICTURES)}),
    "regression": (VECTORS, {"truths": noisy(VECTORS)}),
    "sequence": (
        SCORES,
        {"truths": [np.argmax(each, 1) for each in SCORES], "options": {"word_separator": 0}},
    ),
}


@pytest.fixture(params=CASES)
def measured(request):
    rows, given = CASES[request.param]
    metric = metric_of(kind=request.param, **given.get("options", {}))
    labels = {name: given[name] for name in given if name != "options"}
    return metric, begun(metric, {"y": rows}, {"y": noisy(rows)}, **labels)


def test_it_yields_the_figures_that_it_names(measured):
    """In their order, each with a value or a word why not."""
    metric, made = measured
    found = made.fold(np.arange(COUNT))

    assert sorted(figure.name for figure in metric.figures()) == sorted(found)
    assert all(each.value is not None or each.remark for each in found.values())
    assert all(
        (found[each.name].reference is not None) == each.own
        for each in metric.figures()
        if found[each.name].value is not None
    )


def test_draws_fold_as_samples_do(measured):
    """Many resamples at once come to what each comes to alone."""
    _, made = measured
    draws = RNG.integers(0, COUNT, (5, COUNT))
    alone = [made.fold(draw) for draw in draws]

    for name, (mine, other) in made.fold_draws(draws).items():
        assert [each[name].value for each in alone] == pytest.approx(mine.tolist(), rel=1e-9)
        if other is not None:
            values = [each[name].reference for each in alone]
            assert values == pytest.approx(other.tolist(), rel=1e-9)


def test_a_side_held_against_itself_is_at_the_better_end(measured, request):
    """What gates, differences and reports go by."""
    metric, noise = measured
    rows, given = CASES[metric.kind]
    labels = {name: given[name] for name in given if name != "options"}
    equal = begun(metric, {"y": rows}, {"y": rows}, **labels).fold(np.arange(COUNT))
    worse = noise.fold(np.arange(COUNT))
    for figure in metric.figures():
        best, found = equal[figure.name], worse[figure.name]
        if best.value is None or figure.own:
            continue
        assert (best.value >= found.value) == (figure.better == "high"), figure.name
