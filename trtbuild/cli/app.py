"""The command line: gathers the verbs."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from trtbuild.cli.echo import echo
from trtbuild.cli.ending import run_to_end

__all__ = ["GROUPS", "VERBS", "make_app", "run"]

COMPLETION = "-completion"
"""How the options end by which typer teaches a shell to complete: `--show-completion`."""

VERBS = {
    "init": "Write a first recipe of a model, which builds as it stands; what is a guess says so.",
    "validate": "Check recipes without running anything; needs no model, GPU or store.",
    "check": "Check models for what TensorRT refuses, changes without a word, or makes slow.",
    "plan": "Say which steps would run, which are reused, and why; runs nothing.",
    "apply": "Build what recipes ask for; exit code 1 if a gate fails.",
    "status": "Say what is being built with this store at the moment, and how far it is.",
    "why": "Say why the last run did what it did, and what the next would do.",
    "lock": "Write down beside a recipe what it was built from and what came of it.",
    "verify": "Build again without the store, and hold that to what is guaranteed; exit code 1 if "
    "not so.",
    "diff": "Say what differs in meaning between two recipes or locks; exit code 1 if anything "
    "does.",
    "schema": "Print the JSON Schema of recipes, for editors.",
    "kinds": "List what a recipe's sections may hold: the kinds of each, and their options.",
    "doctor": "Say what this machine can build, and what is missing for the rest.",
    "inspect": "Say what an engine is and whether it fits this machine; exit code 1 if it does "
    "not.",
    "run": "Run an engine on the GPU it is for; elsewhere its model, in ONNX Runtime on the CPU.",
    "compare": "Compare two ONNX files or engines, without a recipe; exit code 1 if a gate fails.",
    "bench": "Time models and engines side by side, by one protocol; exit code 1 if a gate fails.",
    "sensitivity": "Say what each layer costs in INT8: alone, and as the only one that is not; "
    "worst first.",
    "tune": "Find the least float work that holds the gates, as a patch; exit code 1 if none does.",
    "package": "Pack what was built for those who run it.",
    "refit": "Let an engine take other weights, or say why to build it anew; exit code 1 then.",
    "serve": "Serve models by the Open Inference Protocol (KServe v2), for trying and testing.",
    "script": "Print a program that makes the same build with Polygraphy alone.",
}
"""What each verb says of itself first; it is the function of that name in the module of that name.

Said again here so that a command loads one verb: what typer makes of the options of all of them
takes as long as typer itself.
"""
GROUPS = {
    "data": "Look at what a recipe's model will be fed.",
    "ranges": "Show, compare, import and export tables of ranges.",
    "store": "Look after the store, where results of steps are kept.",
}
"""The same of verbs that have verbs of their own."""


def make_app(arguments: Sequence[str]) -> typer.Typer:
    """Return the command line, in which the verb that the arguments name is whole."""
    app = typer.Typer(
        name="trtbuild",
        add_completion=True,
        no_args_is_help=True,
        # Rich would cost a third of a second of every --help.
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        help="Build INT8 TensorRT engines from reviewed recipes.",
    )
    app.callback()(_main)
    asked = next((each for each in arguments if not each.startswith("-")), "")
    for name, text in VERBS.items():
        app.command(name, help=None if name == asked else text)(
            _load(name) if name == asked else _stand_in
        )
    for name, text in GROUPS.items():
        app.add_typer(_load(name) if name == asked else _make_empty_group(text), name=name)
    return app


def _load(name: str) -> Any:
    return getattr(importlib.import_module(f"trtbuild.cli.{name}"), name)


def _make_empty_group(text: str) -> typer.Typer:
    group = typer.Typer(rich_markup_mode=None, help=text)
    group.command()(_stand_in)
    return group


def _stand_in() -> None:
    """Stand for a verb that is not asked for."""


def _version(asked: bool) -> None:  # noqa: FBT001  # typer's way to call it
    if asked:
        from trtbuild import __version__

        echo(f"trtbuild {__version__}")
        raise typer.Exit


def _main(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    del version


def run(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    return run_to_end(lambda: _answer(given))


def _answer(given: list[str]) -> object:
    words = _find_words_to_complete()
    try:
        return make_app(words or given)(given, prog_name="trtbuild", standalone_mode=False)
    except SystemExit as error:  # typer's end, once it has helped a shell
        if not (words or any(each.endswith(COMPLETION) for each in given)):
            raise
        return error.code


def _find_words_to_complete() -> list[str]:
    """Return what a shell asks to complete, without the program's name; nothing where none asks."""
    if "_TRTBUILD_COMPLETE" not in os.environ:
        return []
    line = os.environ.get("COMP_WORDS") or os.environ.get("_TYPER_COMPLETE_ARGS", "")
    return line.split()[1:]
