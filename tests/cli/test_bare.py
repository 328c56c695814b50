"""Few, plain arguments are read as typer reads them, or left to it."""

from __future__ import annotations

import inspect
import itertools
import os
import random

import pytest

from trtbuild.cli import app, apply, do_apply, do_plan, plan
from trtbuild.cli.bare import FLAGS, read_bare

WORDS = [
    "a.yaml", "b/c.yaml", ".", "", "ä.yaml", "bad\udcff.yaml", "a\nb", "-", "--", "--target", "gpu",
    "--target=gpu", "--build-dir", "out", "--build-dir=out", "-q", "-v", "-qv", "--quiet", "-j",
    "3", "--locked", "--no-gates", "--plan", "--format", "json", "--help", "--no-such", "--verb",
]  # fmt: skip


@pytest.fixture
def asked(monkeypatch):
    """Type words both ways; return what each asks the verb to do, and how each ends."""
    calls = []

    def keep(does):
        def kept(*recipes, **options):
            made = inspect.signature(does).bind(*recipes, **options)
            made.apply_defaults()
            listed = {
                name: list(value) if isinstance(value, tuple | list) else value
                for name, value in made.arguments.items()
            }
            calls.append((does.__name__, listed))
            return 0

        return kept

    for does, modules in [
        (do_plan.do_plan, (do_plan, plan)),
        (do_apply.do_apply, (do_apply, apply)),
    ]:
        for module in modules:
            monkeypatch.setattr(module, does.__name__, keep(does))

    def both(words):
        bare = read_bare(words)
        if bare is None:
            return None
        calls.clear()
        codes = [bare(), app.run(list(words))]
        return codes, list(calls)

    return both


def test_what_is_read_is_what_typer_reads(asked, capsys):
    """Of random words, and of all pairs: the same call, with the same defaults."""
    draw = random.Random(0)
    pairs = itertools.product(["plan", "apply"], WORDS, WORDS)
    tried = [[verb, *words] for verb, *words in itertools.islice(pairs, 0, None, 7)]
    tried += [
        [draw.choice(["plan", "apply"]), *draw.choices(WORDS, k=draw.randint(0, 5))]
        for _ in range(300)
    ]
    tried += [["plan", "a.yaml"], ["apply", "a.yaml"], ["apply", "a.yaml", "b.yaml", "-q"]]
    tried += [["apply", "a.yaml", flag] for flag in FLAGS]
    tried += [["apply", "--target", "x", "a.yaml", "--target", "y", "--build-dir", "o"]]
    tried += [["plan", "a.yaml", "--target", "x"], ["apply", "a", "--build-dir", "a/../b"]]

    read = [(words, found) for words in tried if (found := asked(words)) is not None]

    assert len(read) > 15
    for words, (codes, calls) in read:
        assert [0, 0] == codes, words
        assert calls[0] == calls[1], words
    assert "" == capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        [], ["plan"], ["apply"], ["plan", "a", "b"], ["plan", ""], ["plan", "a", "--help"],
        ["apply", "-h"], ["apply", "a", "--target"], ["apply", "a", "--build-dir", "-q"],
        ["apply", "a", "--target=x"], ["plan", "a", "-q"], ["plan", "--", "-a"],
        ["apply", "-qv", "a"], ["apply", "a\n"], ["apply", "bad\udcff"], ["why", "a"],
        ["--version"], ["apply", "a", "-j", "2"],
    ],
)  # fmt: skip
def test_what_is_wrong_or_rare_is_left_to_typer(words):
    """Errors, help, and values in other forms."""
    assert read_bare(words) is None


def test_a_shell_that_completes_is_left_to_typer(monkeypatch):
    """It asks by the environment."""
    assert read_bare(["plan", "a"]) is not None
    monkeypatch.setitem(os.environ, "_TRTBUILD_COMPLETE", "complete_bash")

    assert read_bare(["plan", "a"]) is None
