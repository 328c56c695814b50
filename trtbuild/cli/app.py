"""Gathers the verbs; the one place that turns an error into text and an exit code."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any

import typer

from trtbuild.cli.apply import apply
from trtbuild.cli.check import check
from trtbuild.cli.diff import diff
from trtbuild.cli.doctor import doctor
from trtbuild.cli.echo import echo
from trtbuild.cli.inspect import inspect
from trtbuild.cli.kinds import kinds
from trtbuild.cli.lock import lock
from trtbuild.cli.plan import plan
from trtbuild.cli.ranges import ranges
from trtbuild.cli.run import run as run_verb
from trtbuild.cli.schema import schema
from trtbuild.cli.script import script
from trtbuild.cli.store import store
from trtbuild.cli.validate import validate
from trtbuild.cli.verify import verify
from trtbuild.cli.why import why

__all__ = ["app", "run"]

INTERRUPTED = 130
BUG = 70

app = typer.Typer(
    name="trtbuild",
    add_completion=False,
    no_args_is_help=True,
    # Rich would cost a third of a second of every --help.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Build INT8 TensorRT engines from reviewed recipes.",
)
for verb in (
    validate,
    check,
    plan,
    apply,
    why,
    lock,
    verify,
    diff,
    schema,
    kinds,
    doctor,
    inspect,
    run_verb,
    script,
):
    app.command()(verb)
app.add_typer(ranges, name="ranges")
app.add_typer(store, name="store")


def _version(asked: bool) -> None:  # noqa: FBT001  # typer's way to call it
    if asked:
        from trtbuild import __version__

        echo(f"trtbuild {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    del version


def run(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code; the only place that catches errors."""
    from trtbuild.core.errors import TrtbuildError

    try:
        code: Any = app(arguments, standalone_mode=False)
    except TrtbuildError as error:
        from trtbuild.cli.show import write_failure

        return write_failure(error)
    except BrokenPipeError:
        # Whoever read our output has left; the interpreter must not try to flush it again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        echo(f"error: {error.filename or 'a file'}: {error.strerror}", err=True)
        return 4
    except Exception as error:  # noqa: BLE001  # the boundary: told in full, and exits with 70
        return _usage(error)
    # Typer turns the interrupt key into this code itself, without a word.
    if code == INTERRUPTED:
        echo("interrupted; the store is intact, and the next apply goes on", err=True)
    return code if isinstance(code, int) else 0


def _usage(error: Exception) -> int:
    """Show a usage error; anything else is a bug in trtbuild, with what is needed to report it.

    Typer keeps its exceptions private, so they are known by what they carry.
    """
    message = getattr(error, "format_message", None)
    if message is None:
        _bug()
        return BUG
    usage = getattr(getattr(error, "ctx", None), "get_usage", lambda: "")()
    echo("\n".join(part for part in (usage, f"error: {message()}") if part), err=True)
    return 2


def _bug() -> None:
    import platform
    import traceback

    from trtbuild import __version__

    traceback.print_exc()
    echo(
        f"\nThis is a bug in trtbuild {__version__} (Python {platform.python_version()}, "
        f"{platform.platform()}).\nhint: report it with the lines above and the recipe",
        err=True,
    )
