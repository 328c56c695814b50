"""What a search for less float work looks like in a terminal."""

from __future__ import annotations

from pathlib import Path

from trtbuild.cli.show_tune import make_teller, write_tuning
from trtbuild.core.tuning import Trial, TunedFigure, Tuning
from trtbuild.verbs.tuning.tune import TuneReport

AS_IT_IS = Trial(
    what="as the recipe is", figures=(TunedFigure(name="top1 drop", found="9 points"),)
)
BETTER = Trial(
    what="first in float",
    options={"calibrator": {"kind": "mse"}},
    floats=("first",),
    passed=True,
    int8_share=0.6,
    size_bytes=2048,
    figures=(TunedFigure(name="top1 drop", found="0.1 points", interval="-1 to 1.2 points"),),
    frontier=True,
)


def told_of(capsys, **found):
    """Return what is written to standard output of a search that tried both."""
    known = {
        "recipe": "r",
        "file": "r.yaml",
        "passed": True,
        "best": 1,
        "trials": (AS_IT_IS, BETTER),
        "searched_on": "eval",
        "verified_on": "eval",
        "before": AS_IT_IS.figures,
        "after": BETTER.figures,
    }
    report = TuneReport(
        Tuning(**known | found), Path("tune.json"), Path("r.yaml"), written=False, notes=()
    )
    write_tuning(report, Path("r.yaml"), verbose=False, wrote=False)
    return capsys.readouterr().out.splitlines()


def test_the_best_is_marked_and_says_all_that_it_changes(capsys):
    """Its options and layers, and its share of the work."""
    lines = told_of(capsys)

    after = "top1 drop 0.1 points, -1 to 1.2 points"
    assert f"every gate passes: {after} (before: top1 drop 9 points)" == lines[0]
    (best,) = (line for line in lines if " * " in line)
    assert best.split()[:7] == ["calibrator", "mse,", "first", "in", "float", "*", "60.00"]
    assert best.endswith("0.1 points, -1 to 1.2 points")


def test_nothing_better_is_said(capsys):
    """In place of a frontier of one."""
    told = {"passed": False, "best": 0, "trials": (AS_IT_IS,), "after": AS_IT_IS.figures}
    lines = told_of(capsys, **told)

    assert [
        "the gates are not reached, and nothing that was tried is better: top1 drop 9 points",
        "wrote tune.json",
    ] == lines


def test_a_trial_is_told_when_it_ends(capsys):
    """One that cannot be says why."""
    tell = make_teller()
    tell(AS_IT_IS, False)
    tell(BETTER, True)
    tell(Trial(what="smooth", problem="no MatMul"), False)

    assert [
        "  0  as the recipe is: top1 drop 9 points",
        "  1  first in float: passes: top1 drop 0.1 points",
        "  2  smooth: not possible: no MatMul",
    ] == capsys.readouterr().err.splitlines()
