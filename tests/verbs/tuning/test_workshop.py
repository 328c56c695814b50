"""Candidates as recipes: what they say, and what they are remembered as."""

from __future__ import annotations

import pytest

from tests.helpers.projects import edit
from tests.helpers.tuning import needy_project
from trtbuild.core.tuning import Trial
from trtbuild.recipe.lines import read_lines
from trtbuild.recipe.load import load_recipe
from trtbuild.run.executor import QuietListener
from trtbuild.run.inline import Inline
from trtbuild.verbs.tuning.candidates import SECTION, Candidate
from trtbuild.verbs.tuning.layers import rank_layers
from trtbuild.verbs.tuning.workshop import Workshop, demand_sections


@pytest.fixture
def workshop(tmp_path, store):
    """One for the recipe of a model with one bad layer."""
    loaded = load_recipe(needy_project(tmp_path / "project"))
    return Workshop(loaded, read_lines(loaded, SECTION), store, Inline(), QuietListener())


def test_a_candidate_is_known_once_it_was_compared(workshop):
    """And under another name than the recipe's, whose last run is not what was tried."""
    candidate = Candidate(floats=("first",))
    before = workshop.is_known(candidate)
    trial = workshop.attempt(candidate, Trial(what="first in float", floats=("first",)))

    assert (False, True) == (before, workshop.is_known(candidate))
    assert ("", True, 0.6) == (trial.problem, trial.passed, trial.int8_share)
    assert "needy.tune" == workshop.plan(workshop.load(candidate), "compare").recipe


def test_a_candidate_that_no_recipe_may_say_is_a_trial_with_a_problem(workshop):
    """The search goes on."""
    trial = workshop.attempt(Candidate(floats=("no such layer",)), Trial(what="wrong"))

    assert "no such layer" in trial.problem


def test_a_model_may_take_several_samples_at_once(tmp_path, store):
    """It is compared on whole batches, and its layers are measured on them."""
    recipe = needy_project(tmp_path / "project", batch="16")
    loaded = load_recipe(recipe)
    lines = read_lines(loaded, SECTION)
    made = Workshop(loaded, lines, store, Inline(), QuietListener())
    remarks = []
    ranked = rank_layers(made, Candidate(), "eval", remarks)

    assert 16 == made.model.batch
    assert (["first", "second", "third"], []) == (sorted(ranked.told), remarks)


def test_signal_over_noise_is_always_measured(workshop):
    """It tells apart what passes alike."""
    _, compare = demand_sections(workshop.load(Candidate()))

    assert "sqnr_db" in compare.metrics


@pytest.mark.parametrize(
    ("target", "others"),
    [
        ("{kind: onnxruntime}", []),
        ("{kind: tensorrt_rtx, compute_capabilities: [8.9, 12.0]}", ["fp8"]),
        ("{kind: tensorrt_rtx, compute_capabilities: [8.6, 8.9]}", []),
    ],
)
def test_other_types_are_those_that_every_gpu_multiplies(target, others, tmp_path, store):
    """Where none is named, nobody knows."""
    recipe = needy_project(tmp_path / "project")
    edit(recipe, "{kind: onnxruntime}", target)
    loaded = load_recipe(recipe)
    lines = read_lines(loaded, SECTION)
    made = Workshop(loaded, lines, store, Inline(), QuietListener())

    assert others == [each.name for each in made.others]
