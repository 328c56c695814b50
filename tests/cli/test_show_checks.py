"""How checked models look."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from trtbuild.cli.show_checks import format_checked, show_checked
from trtbuild.core.model_checks import Coverage, ModelChecks, RuleFault
from trtbuild.verbs.check import CheckedModel

ERROR = RuleFault(
    code="TB101", level="error", nodes=("q", "d"), reason="it is odd", hint="export again"
)
WARNING = RuleFault(code="TB303", level="warning", nodes=(), reason="it is slow", hint="go on")
OFF = WARNING.model_copy(update={"off": "the branch is tiny"})


def checked(*faults, asked=0, edges=0):
    coverage = Coverage(
        target="", layers=4, macs=1000, asked_macs=asked, islands=1, float_edges=("e",) * edges
    )
    checks = ModelChecks(faults=faults, coverage=coverage, macs={})
    return CheckedModel(Path("r.yaml"), "the INT8 model", "rtx", checks)


@pytest.mark.parametrize(
    ("codes", "faults"),
    [
        ((0, 0), ()),
        ((1, 1), (ERROR,)),
        ((0, 1), (WARNING,)),
        ((0, 0), (OFF,)),
        ((1, 1), (OFF, ERROR)),
    ],
)
def test_the_exit_code_says_whether_a_rule_counts(capsys, codes, faults):
    """A warning counts for those who are strict; one that is turned off, for nobody."""
    plain, strict = (show_checked([checked(*faults)], "text", strict=each) for each in (0, 1))

    assert codes == (plain, strict)


def test_text_has_a_fault_with_its_next_move():
    """Or with why it is off; and the sum of it."""
    assert """r.yaml, target rtx: the INT8 model
TB101 error: `q`, `d`: it is odd
  hint: export again
TB303 off: it is slow
  why it is off: the branch is tiny
1 error, 1 turned off""" == format_checked([checked(ERROR, OFF)], "text")
    assert format_checked([checked()], "text").endswith("\nno rule is broken")


@pytest.mark.parametrize(
    ("words", "edges"), [("1 island with 0 float edges", 0), ("1 island with 1 float edge ", 1)]
)
def test_the_work_of_int8_is_told_where_some_is_asked_for(words, edges):
    """As a share of the whole."""
    text = format_checked([checked(asked=975, edges=edges)], "text")

    assert "INT8 is asked for 97.50 % of the multiply-accumulates" in text
    assert words in text
    assert "INT8 is asked" not in format_checked([checked()], "text")


def test_many_nodes_are_named_in_json_alone():
    """Eight in text."""
    many = ERROR.model_copy(update={"nodes": tuple(f"n{index}" for index in range(20))})

    (whole,) = json.loads(format_checked([checked(many)], "json"))
    text = format_checked([checked(many)], "text")

    assert 20 == len(whole["faults"][0]["nodes"])
    assert "`n7`" in text
    assert "`n8`" not in text
    assert ("r.yaml", "rtx") == (whole["file"], whole["target"])


def test_github_has_a_line_for_each_fault_that_counts(capsys):
    """And nothing where there is none."""
    lines = format_checked([checked(ERROR, OFF), checked(WARNING)], "github").splitlines()

    assert ["::error ", "::warning "] == [line[: line.index("file=")] for line in lines]
    assert "title=TB101 (rtx)" in lines[0]
    assert "%0Ahint: export again" in lines[0]
    assert 0 == show_checked([checked(OFF)], "github")
    assert "" == capsys.readouterr().out
