"""A recipe tuned: what is found, what is kept, and what is never done."""

from __future__ import annotations

import numpy as np
import pytest

from tests.helpers.projects import edit
from tests.helpers.tuning import needy_project
from trtbuild.core.errors import UsageError
from trtbuild.plan.sensitivity import name_part
from trtbuild.recipe.load import load_recipe
from trtbuild.run.executor import QuietListener
from trtbuild.run.inline import Inline
from trtbuild.verbs.tuning.tune import TuneRequest, tune_recipe


class Counting(QuietListener):
    """Remembers which steps start, and is interrupted when one does."""

    def __init__(self, before=""):
        self.before = before
        self.steps = []

    def started(self, name):
        if name == self.before:
            raise KeyboardInterrupt
        self.steps.append(name)


@pytest.fixture
def needy(tmp_path):
    """The recipe of a model with one bad layer."""
    return needy_project(tmp_path / "project")


@pytest.fixture
def tune(tmp_path, store, needy, few_stages):
    """Tune it in this process."""

    def run(listener=None, seconds=60.0, **given):
        told = []
        found = tune_recipe(
            load_recipe(needy),
            store,
            executor=Inline(),
            directory=tmp_path / "build",
            request=TuneRequest(seconds, **given),
            listener=listener or QuietListener(),
            tell=lambda trial, _: told.append(trial.what),
        )
        return found, told

    return run


def test_the_one_bad_layer_is_left_float_and_a_second_run_runs_nothing(tune, needy):
    """Nothing else is changed, since nothing else is needed; the recipe keeps its comments.

    An interrupted search goes on where it was. Written, it passes: tuning it again only tries to
    give the layer back.
    """
    with pytest.raises(KeyboardInterrupt):
        tune(Counting(before=name_part(0)))
    rest = Counting()
    found, _ = tune(rest)
    listener = Counting()
    again, _ = tune(listener)
    before = needy.read_text()
    written, _ = tune(write=True)
    after, told = tune()

    assert name_part(0) == rest.steps[0]
    assert found.tuning.passed
    assert (("first",), {}) == (found.best.floats, found.best.options)
    assert 0.6 == found.best.int8_share  # 96 of 160 multiply-accumulates
    assert ([], found.tuning) == (listener.steps, again.tuning)
    assert (False, True) == (found.written, written.written)
    assert (
        before.replace(
            "far out\n",
            "far out\n  # tune: " + needy.read_text().split("# tune: ")[1].split("\n")[0] + "\n"
            "  skip:\n    - first  # "
            + needy.read_text().split("- first  # ")[1].split("\n")[0]
            + "\n",
        )
        == needy.read_text()
    )
    assert ("first",) == load_recipe(needy).recipe.quantization.skip
    assert (True, 0, ["as the recipe is", "no skip of first"]) == (
        after.tuning.passed,
        after.tuning.best,
        told,
    )
    assert "all of it is needed" in after.tuning.remarks[0]


def test_a_budget_of_nothing_says_how_it_stands(tune, needy):
    """The recipe is compared as it is, and nothing is tried; nothing is written."""
    before = needy.read_text()
    found, told = tune(seconds=0.0, write=True, best=True)

    assert ["as the recipe is"] == told
    assert (False, 0, "") == (found.tuning.passed, found.tuning.best, found.tuning.patch)
    assert "--budget" in found.tuning.remarks[0]
    assert before == needy.read_text()


def test_once_the_time_is_spent_no_layers_are_measured(tune):
    """That is the longest step of a search: one that is known is no end, and a new one is."""
    with pytest.raises(KeyboardInterrupt):
        tune(Counting(before=name_part(0)))
    rest = Counting()
    found, _ = tune(rest, seconds=0.0)
    whole, _ = tune()
    again, _ = tune(seconds=0.0)

    assert [] == rest.steps
    assert "--budget" in found.tuning.remarks[0]
    assert whole.tuning == again.tuning


def test_what_is_found_on_other_data_is_judged_on_that_of_the_comparison(tune):
    """Then nothing is said of a third set: there is one."""
    found, _ = tune(data="third")

    assert ("third", "eval", True) == (
        found.tuning.searched_on,
        found.tuning.verified_on,
        found.tuning.passed,
    )
    assert not any("third data set" in remark for remark in found.tuning.remarks)


def test_what_passes_on_other_data_alone_is_told_with_what_to_do(tune, needy):
    """Of samples whose answers are all small, a gate on what differs lets everything through."""
    edit(needy, "metrics: [sqnr_db]", "metrics: [sqnr_db, max_abs]")
    edit(needy, "{metric: sqnr_db, at_least: 25}", "{metric: max_abs, at_most: 0.02}")
    with np.load(needy.parent / "third.npz") as found:
        np.savez(needy.parent / "third.npz", x=found["x"] / 1000)
    found, _ = tune(data="third")

    assert not found.tuning.passed
    (told,) = (each for each in found.tuning.remarks if each.startswith("what passes on `third`"))
    assert "of the sort that `eval` holds, or have the gates ask to be sure" in told


def test_what_does_not_reach_the_gates_is_written_only_when_asked(tune, needy):
    """It is better than the start, and shown; `best` writes it."""
    edit(needy, "at_least: 25", "at_least: 190")
    before = needy.read_text()
    found, _ = tune(write=True)
    unchanged = needy.read_text()
    written, _ = tune(write=True, best=True)

    assert (False, False) == (found.tuning.passed, found.written)
    assert found.tuning.patch
    assert found.best.sqnr_db > found.tuning.trials[0].sqnr_db
    assert before == unchanged != needy.read_text()
    assert written.written


@pytest.mark.parametrize(
    ("before", "after", "given", "why"),
    [
        ("  gates:\n    - {metric: sqnr_db, at_least: 25}\n", "", {}, "no gate"),
        (
            "sqnr_db, at_least: 25",
            "top1, at_least: 25%",
            {"data": "third"},
            "cannot be judged on `third`: the data has no classes as labels",
        ),
        ("sqnr_db, at_least: 25", "top1, at_least: 99%", {}, "nothing that is done about INT8"),
        ("", "", {"data": "calib"}, "calibration sees `calib`"),
        ("", "", {"data": "gone"}, "no data set `gone`"),
        ("{kind: minmax}", "&a {kind: minmax}", {}, "shared by an anchor"),
    ],
)
def test_what_cannot_be_tuned_is_refused_before_anything_is_tried(
    tune, needy, before, after, given, why
):
    """One error, with what to do."""
    if before:
        edit(needy, before, after)
    with pytest.raises(UsageError, match=why) as error:
        tune(**given)

    assert error.value.hint


def test_a_variant_is_tuned_where_its_section_stands(tmp_path, store, needy, few_stages):
    """Not the recipe that it extends; of one without that section, this is said at once."""
    variant = needy.with_name("variant.yaml")
    variant.write_text(f"extends: {needy.name}\nname: variant\nquantization: {{skip: []}}\n")
    before = needy.read_text()

    def run(seconds):
        return tune_recipe(
            load_recipe(variant),
            store,
            executor=Inline(),
            directory=tmp_path / "build",
            request=TuneRequest(seconds),
            listener=QuietListener(),
            tell=lambda *_: None,
        )

    assert not run(0.0).written
    assert before == needy.read_text()
    variant.write_text(f"extends: {needy.name}\nname: variant\n")
    with pytest.raises(UsageError, match="stands in the recipe that it extends"):
        run(0.0)
