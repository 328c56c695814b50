"""How things look in a terminal."""

from __future__ import annotations

import json

import pytest

from tests.helpers.plans import plan_with
from tests.helpers.records import comparison, failing_gate, good, outcomes, seeded
from trtbuild.cli.show import (
    format_count,
    format_table,
    format_verdict,
    write_applied,
    write_failure,
    write_plan,
)
from trtbuild.core.errors import MissingFile, StepFailed, UsageError
from trtbuild.core.records import GateVerdict
from trtbuild.plan.explain import Decision, Reason
from trtbuild.verbs.apply import AppliedRecipe
from trtbuild.verbs.plan import DecidedPlan


def test_columns_are_as_wide_as_their_widest_cell():
    """No spaces at the ends of lines, and no name that looks like a row of its own."""
    rows = [("a", "bb", ""), ("long", "b", "x\ny")]

    assert "  a     bb\n  long  b   x\\ny" == format_table(rows)


@pytest.mark.parametrize(("expected", "count"), [("0 steps", 0), ("1 step", 1), ("2 steps", 2)])
def test_one_is_no_plural(expected, count):
    """As people say it."""
    assert expected == format_count(count, "step")


@pytest.mark.parametrize(
    ("code", "text", "error"),
    [
        (4, "error: m: no such file\nhint: look\n", MissingFile("m: no such file", hint="look")),
        (
            3,
            "error: calibrate: NaN\nlog: /l\n",
            StepFailed("NaN", step="calibrate", log="/l"),
        ),
        (2, "error: no\n", UsageError("no")),
    ],
)
def test_a_failure_says_what_where_and_what_next(capsys, code, text, error):
    """Nothing on standard output."""
    assert code == write_failure(error)
    assert ("", text) == tuple(capsys.readouterr())


@pytest.mark.parametrize(
    ("expected", "verdict"),
    [
        ("cosine ≥ 0.9: `y` 0.95", {"output": "y", "found": "0.95"}),
        ("cosine ≥ 0.9: `y` it holds NaN", {"output": "y", "remark": "it holds NaN"}),
        ("cosine ≥ 0.9: cosine was not measured", {"remark": "cosine was not measured"}),
    ],
)
def test_a_verdict_says_what_was_found(expected, verdict):
    """Or why nothing was."""
    made = GateVerdict(gate="cosine ≥ 0.9", passed=False, value=None, **verdict)

    assert expected == format_verdict(made)


@pytest.fixture
def decided():
    """All is reused but the last step, for two reasons."""
    plan = plan_with()
    reasons = (Reason(path="params.a", before=1, after=2), Reason(path="after quantize|x"))
    *rest, last = [
        Decision(step=each.name, digest=each.digest, verdict="reuse") for each in plan.steps
    ]
    built = last.model_copy(update={"verdict": "run", "reasons": reasons})
    return DecidedPlan(plan=plan, decisions=(*rest, built), notes=("by hand",))


def test_a_plan_is_a_line_a_step_and_a_sum(decided, capsys):
    """With the reasons why one would run."""
    write_plan(decided, "text")
    lines = capsys.readouterr().out.splitlines()

    assert "face" == lines[0]
    assert lines[-3].split()[:2] == ["run", "build_engine(rtx)"]
    assert lines[-3].endswith("params.a: 1 → 2 · after quantize|x")
    assert ["5 to reuse, 1 to run", "note: by hand"] == lines[-2:]


def test_a_plan_for_a_pull_request_is_a_table(decided, capsys):
    """A pipe within a cell does not end it."""
    write_plan(decided, "markdown")
    text = capsys.readouterr().out

    assert text.startswith("**face**: 5 to reuse, 1 to run\n")
    assert text.rstrip().endswith("| params.a: 1 → 2 · after quantize\\|x |")


def test_a_plan_for_a_program_is_whole(decided, capsys):
    """Digests are not cut off."""
    write_plan(decided, "json")
    found = json.loads(capsys.readouterr().out)

    assert "face" == found["recipe"]
    assert [each.digest for each in decided.decisions] == [s["digest"] for s in found["steps"]]


def said(record, capsys, tmp_path, *, changed=(), quiet=False, verbose=False):
    done = AppliedRecipe(record, tmp_path, tuple(changed), passed=True, complete=lambda told: told)
    write_applied(done, quiet=quiet, verbose=verbose)
    return capsys.readouterr()


def test_an_apply_ends_in_a_summary(capsys, tmp_path):
    """Engines, figures, gates, and how much was done."""
    out = said(good(seconds=46.3), capsys, tmp_path).out

    assert "4 of 4 delivered" in out
    assert "gate passed: sqnr_db ≥ 20: `logits` 29.32 dB" in out
    assert f"10 steps ran, 46.3 s; results in {tmp_path}/ (report.md)\n" == out.splitlines(True)[-1]


def test_caveats_stand_beside_the_name_and_the_figures(capsys, tmp_path):
    """Whoever reads a number reads them."""
    out = said(seeded(), capsys, tmp_path).out

    assert out.startswith("digits-int8 (seeded weights)\n")
    assert "720 samples, seeded weights" in out


def test_with_nothing_to_run_it_says_what_was_put_right(capsys, tmp_path):
    """Whoever had edited a file has to know that it is gone; many are not listed."""
    steps = ("import_model", "fix_graph")
    reused = good(
        outcomes=tuple(
            each.model_copy(update={"status": "reused"})
            for each in outcomes()
            if each.step in steps
        )
    )

    assert "nothing to do; results in" in said(reused, capsys, tmp_path).out
    told = said(reused, capsys, tmp_path, changed=["a", "b", "c", "d", "e"]).out
    assert "no step to run, placed anew: a, b, c, d, ...; results" in told


def test_a_gate_that_failed_is_an_error_however_quiet(capsys, tmp_path):
    """On standard error; nothing else is said then."""
    shown = said(failing_gate(), capsys, tmp_path, quiet=True)

    assert "" == shown.out
    assert (
        "digits-int8: gate failed: top1 drop ≤ 0.5 points: `logits` drop 2.23 points\n" == shown.err
    )
    assert "" == said(good(comparison=comparison(verdicts=())), capsys, tmp_path, quiet=True).err


@pytest.mark.parametrize("quiet", [False, True])
def test_a_warning_is_seen_once_however_many_targets_have_it(capsys, tmp_path, quiet):
    """In the summary, or alone on standard error; of eight, five and a sum."""
    first, *_ = outcomes()
    many = tuple(f"TB40{number} `n`: odd (hint: mend it)" for number in range(8))
    steps = [first.model_copy(update={"step": name, "warnings": many}) for name in ("a", "b")]
    shown = said(good(outcomes=tuple(steps)), capsys, tmp_path, quiet=quiet)
    lines = "".join(shown).splitlines()
    told = [line.split("warning: ")[1] for line in lines if "warning: " in line]

    assert [*many[:5], "3 more; report.md has them all"] == told
    assert quiet == ("digits-int8: warning: TB400 `n`" in shown.err)
