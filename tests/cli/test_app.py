"""The command line: one verb is loaded and all are told of; every end has its code and words."""

from __future__ import annotations

import errno
import importlib
import inspect
import subprocess
import sys

import pytest

from trtbuild import __version__, api
from trtbuild.cli.app import GROUPS, VERBS
from trtbuild.core.errors import CorruptObject, MissingFile, StepFailed


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


@pytest.fixture
def ending(monkeypatch, trtbuild):
    """Have a command end with an exception."""

    def typed(error):
        def fail():
            raise error

        monkeypatch.setattr(api, "schema", fail)
        return trtbuild("schema")

    return typed


def test_the_version_is_told(trtbuild):
    """And nothing else."""
    answer = trtbuild("--version")

    assert (0, f"trtbuild {__version__}\n", "") == (answer.code, answer.out, answer.err)


@pytest.mark.parametrize(
    ("says", "arguments"),
    [
        ("No such command", ["nonsense"]),
        ("No such option", ["schema", "--nonsense"]),
        ("Missing argument", ["plan"]),
        ("error: a command is missing", ["ranges"]),
        ("Choose from: tensorrt, text, json\n", ["ranges", "export", "a"]),
        ("is not one of", ["validate", "r.yaml", "--format", "xml"]),
    ],
)
def test_what_is_typed_wrong_is_exit_code_2(trtbuild, says, arguments):
    """With how it is typed; no traceback."""
    answer = trtbuild(*arguments)

    assert (2, "") == (answer.code, answer.out)
    assert says in answer.err
    assert "error: " in answer.err
    assert "Traceback" not in answer.err


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (4, MissingFile("m: no such file", hint="look there")),
        (5, CorruptObject("it is damaged", hint="look there")),
        (3, StepFailed("no", step="calibrate", log="log.txt", hint="look there")),
        (4, StepFailed("no", step="calibrate", hint="look there", code=4)),
    ],
)
def test_an_expected_error_is_a_sentence_and_a_hint(ending, code, error):
    """On standard error, with its exit code."""
    answer = ending(error)

    assert (code, "") == (answer.code, answer.out)
    assert answer.err.startswith("error: ")
    assert answer.err.endswith("hint: look there\n")


@pytest.mark.parametrize(
    ("number", "hint"), [(errno.ENOSPC, "make room there"), (errno.EROFS, "make it writable")]
)
def test_what_the_system_refuses_names_the_file(ending, number, hint):
    """A disk that is full is no bug; another place is a way out."""
    answer = ending(OSError(number, "No way", "/d/f"))

    told = f"hint: {hint}, or choose another place (TRTBUILD_STORE, --build-dir)\n"
    assert (4, f"error: /d/f: No way\n{told}") == (answer.code, answer.err)


def test_what_has_no_way_out_that_is_known_has_no_hint(ending):
    """An error of a disk, say."""
    answer = ending(OSError(errno.EIO, "Input/output error", "/d/f"))

    assert "error: /d/f: Input/output error\n" == answer.err


@pytest.mark.parametrize("error", [KeyError("w"), AssertionError("no"), RecursionError("deep")])
def test_anything_else_is_a_bug_and_says_how_to_report_it(ending, error):
    """With the traceback, the versions, and exit code 70."""
    answer = ending(error)

    assert 70 == answer.code
    assert "Traceback" in answer.err
    assert f"This is a bug in trtbuild {__version__} (Python {sys.version.split()[0]}" in answer.err


def test_the_interrupt_key_is_exit_code_130(ending):
    """The store is whole, and that is said."""
    answer = ending(KeyboardInterrupt())

    assert 130 == answer.code
    assert "interrupted; the store is intact" in answer.err


@pytest.mark.parametrize(
    ("expected", "line"),
    [
        ("plan\n", "trtbuild pl"),
        ("--format\n", "trtbuild plan --fo"),
        ("text\njson\nmarkdown\n", "trtbuild plan --format "),
        ("du\n", "trtbuild store d"),
    ],
)
def test_a_shell_completes_what_is_typed(trtbuild, monkeypatch, expected, line):
    """Verbs, and the options of the verb that is on the line."""
    monkeypatch.setenv("_TRTBUILD_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(line.count(" ")))

    answer = trtbuild()

    assert (0, expected) == (answer.code, answer.out)


def test_a_shell_is_told_how_to_complete(trtbuild):
    """For its start-up file."""
    answer = trtbuild("--show-completion", "bash")

    assert 0 == answer.code
    assert "complete -o default -F _trtbuild_completion trtbuild" in answer.out


def test_a_plan_can_tell_by_its_exit_code(project, trtbuild, steps_here):
    """1 where a step would run, 0 where all is there; without being asked always 0."""
    codes = [trtbuild("plan", "recipe.yaml", *more).code for more in ([], ["--detailed-exitcode"])]
    assert [0, 1] == codes

    trtbuild("apply", "recipe.yaml")

    assert 0 == trtbuild("plan", "recipe.yaml", "--detailed-exitcode").code
