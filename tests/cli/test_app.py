"""One verb is loaded, and all are told of."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys

import pytest

from trtbuild.cli.app import GROUPS, VERBS


def modules_after(*arguments: str) -> set[str]:
    code = (
        "import sys\nfrom trtbuild.cli.app import run\nrun(sys.argv[1:])\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    return set(ran.stderr.split())


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_says_of_itself_what_help_says_of_it(verb):
    """The list of all verbs is shown without loading them."""
    function = getattr(importlib.import_module(f"trtbuild.cli.{verb}"), verb)
    opening, *_ = inspect.getdoc(function).split("\n\n")

    assert " ".join(opening.split()) == VERBS[verb]


@pytest.mark.parametrize("verb", GROUPS)
def test_a_group_says_of_itself_what_help_says_of_it(verb):
    """And so are verbs that have verbs of their own."""
    group = getattr(importlib.import_module(f"trtbuild.cli.{verb}"), verb)

    assert group.info.help == GROUPS[verb]


def test_help_loads_no_verb():
    """Nor what checks the values of their options."""
    loaded = modules_after("--help")

    assert set() == loaded & {f"trtbuild.cli.{verb}" for verb in [*VERBS, *GROUPS]}
    assert "pydantic" not in loaded


def test_a_verb_loads_no_other():
    """What typer makes of the options of all of them takes as long as typer itself."""
    loaded = modules_after("store", "--help")

    assert "trtbuild.cli.store" in loaded
    assert set() == loaded & {f"trtbuild.cli.{verb}" for verb in VERBS}


def test_a_misspelt_verb_is_told_the_right_one(trtbuild):
    """Though none is loaded."""
    assert "Did you mean 'plan'" in trtbuild("plna").err
