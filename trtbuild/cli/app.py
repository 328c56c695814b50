"""Gathers the verbs; the one place that turns an error into text and an exit code."""

from __future__ import annotations

import os
import select
import sys
from typing import Annotated, Any, TextIO

import typer

from trtbuild.cli.apply import apply
from trtbuild.cli.check import check
from trtbuild.cli.diff import diff
from trtbuild.cli.doctor import doctor
from trtbuild.cli.echo import echo, pour
from trtbuild.cli.inspect import inspect
from trtbuild.cli.kinds import kinds
from trtbuild.cli.lock import lock
from trtbuild.cli.plan import plan
from trtbuild.cli.ranges import ranges
from trtbuild.cli.run import run as run_verb
from trtbuild.cli.schema import schema
from trtbuild.cli.script import script
from trtbuild.cli.start import INTERRUPTED, interrupted
from trtbuild.cli.store import store
from trtbuild.cli.validate import validate
from trtbuild.cli.verify import verify
from trtbuild.cli.why import why

__all__ = ["app", "run"]

BUG = 70
UNREAD = 141
"""What a shell says of a program that SIGPIPE ended: whoever read the output has left."""

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
    try:
        return _run(arguments)
    except (BrokenPipeError, SystemExit) as error:
        # Typer leaves by itself where what it writes (help, usage) has no reader.
        left = [_left(stream) for stream in (sys.stdout, sys.stderr)]
        return UNREAD if any(left) else _usage(error)


def _run(arguments: list[str] | None) -> int:
    from trtbuild.core.errors import TrtbuildError

    try:
        code: Any = app(arguments, standalone_mode=False)
    except TrtbuildError as error:
        from trtbuild.cli.show import write_failure

        return write_failure(error)
    except BrokenPipeError:
        raise
    except OSError as error:
        echo(f"error: {error.filename or 'a file'}: {error.strerror}", err=True)
        return 4
    except Exception as error:  # noqa: BLE001  # the boundary: told in full, and exits with 70
        return _usage(error)
    # Typer turns the interrupt key into this code itself, without a word.
    if code == INTERRUPTED:
        return interrupted()
    return code if isinstance(code, int) else 0


def _left(stream: TextIO) -> bool:
    """Tell whether whoever read a stream has left; what is held back for it goes nowhere."""
    try:
        watched = select.poll()
        watched.register(stream.fileno(), 0)
        gone = any(event & select.POLLERR for _, event in watched.poll(0))
        if gone:  # or the interpreter would fail when it writes the rest at its end
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
    except (AttributeError, OSError, ValueError):  # it is no file, or closed
        return False
    return gone


def _usage(error: BaseException) -> int:
    """Show a usage error; anything else is a bug in trtbuild, with what is needed to report it.

    Typer keeps its exceptions private, so they are known by what they carry.
    """
    message = getattr(error, "format_message", None)
    if message is None:
        _bug()
        return BUG
    usage = getattr(getattr(error, "ctx", None), "get_usage", lambda: "")()
    if usage:
        pour(usage, err=True)
    echo(f"error: {message()}", err=True)
    return 2


def _bug() -> None:
    import platform
    import traceback

    from trtbuild import __version__

    pour(traceback.format_exc(), err=True, nl=False)
    pour(
        f"\nThis is a bug in trtbuild {__version__} (Python {platform.python_version()}, "
        f"{platform.platform()}).\nhint: report it with the lines above and the recipe",
        err=True,
    )
