"""How a command ends: the one place that turns an error into text and an exit code."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from trtbuild.cli.echo import echo, pour
from trtbuild.cli.start import INTERRUPTED, report_interrupt

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

__all__ = ["BUG", "run_to_end"]

BUG = 70
UNREAD = 141
"""What a shell says of a program that SIGPIPE ended: whoever read the output has left."""


def run_to_end(command: Callable[[], object]) -> int:
    """Run a command and return its exit code; the only place that catches errors."""
    try:
        return _run(command)
    except (BrokenPipeError, SystemExit) as error:
        # Typer leaves by itself where what it writes (help, usage) has no reader.
        left = [_left(stream) for stream in (sys.stdout, sys.stderr)]
        return UNREAD if any(left) else _usage(error)


def _run(command: Callable[[], object]) -> int:
    from trtbuild.core.errors import TrtbuildError

    try:
        code = command()
    except TrtbuildError as error:
        from trtbuild.cli.show import write_failure

        return write_failure(error)
    except BrokenPipeError:
        raise
    except OSError as error:
        echo(f"error: {error.filename or 'a file'}: {error.strerror or error}", err=True)
        if hint := _find_way_out(error):
            echo(f"hint: {hint}", err=True)
        return 4
    except KeyboardInterrupt:
        return report_interrupt()
    except Exception as error:  # noqa: BLE001  # the boundary: told in full, and exits with 70
        return _usage(error)
    # Typer turns the interrupt key into this code itself, without a word.
    if code == INTERRUPTED:
        return report_interrupt()
    return code if isinstance(code, int) else 0


def _find_way_out(error: OSError) -> str:
    from trtbuild.core.files import FULL, LOCKED

    way = {**dict.fromkeys(FULL, "make room there"), **dict.fromkeys(LOCKED, "make it writable")}
    if error.errno not in way:
        return ""
    return f"{way[error.errno]}, or choose another place (TRTBUILD_STORE, --build-dir)"


def _left(stream: TextIO) -> bool:
    """Tell whether whoever read a stream has left; what is held back for it goes nowhere."""
    import select

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
    said = message()
    if said.startswith("Usage:"):  # the help of a group whose command is lacking
        pour(said, err=True)
        echo("error: a command is missing; they are listed above", err=True)
        return 2
    if usage:
        pour(usage, err=True)
    echo(f"error: {' '.join(said.split()).replace(': Value error, ', ': ')}", err=True)
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
