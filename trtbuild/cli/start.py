"""Where the command begins: says again what still holds, or goes to the command line for it.

What it loads is loaded by every command; so it loads next to nothing.
"""

from __future__ import annotations

import gc
import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, TextIO

    from trtbuild.core.watch import Watch
    from trtbuild.store.stamp import KeptAnswer

__all__ = ["INTERRUPTED", "main", "report_interrupt", "run"]

INTERRUPTED = 130
STAMPED = frozenset({"apply", "plan"})
"""The verbs that often have nothing to do, and say the same as long as that is so."""
OTHER_WAYS = frozenset({"buffer", "detach", "reconfigure", "writelines"})


def main(arguments: list[str] | None = None) -> None:
    """Run a command and leave with its exit code."""
    # Loading modules makes many objects and no rubbish, and steps work in processes of their own:
    # looking for cycles costs a tenth of a command that has nothing to do.
    gc.disable()
    # Pydantic would read what every installed package says of itself; none has a say in what a
    # recipe means.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    try:
        code = run(sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:  # while modules are loaded, or what is left is put away
        code = report_interrupt()
    gc.freeze()  # nor does it matter at the end, which comes to the same
    sys.exit(code)


def report_interrupt() -> int:
    """Say that the interrupt key was pressed, and return the exit code."""
    sys.stderr.write("interrupted; the store is intact, and the next apply goes on\n")
    return INTERRUPTED


def run(arguments: Sequence[str]) -> int:
    """Run a command and return its exit code."""
    stamped = bool(arguments) and arguments[0] in STAMPED and _in_utf8()
    # Help is as wide as the terminal, and asks no file for that.
    stamped = stamped and not any(_may_ask_for_help(each) for each in arguments)
    if not stamped:
        return _run_anew(arguments)
    from trtbuild.store import stamp

    key = stamp.make_key(arguments)
    if key is None:
        return _run_anew(arguments)
    said = stamp.recall_answer(key)
    if said is not None and _say(said):
        return 0
    return _run_watched(arguments, key)


def _may_ask_for_help(argument: str) -> bool:
    short = argument.startswith("-") and not argument.startswith("--")
    return argument.startswith("--h") or (short and "h" in argument)


def _in_utf8() -> bool:
    """Tell whether any text can be written as it is."""
    streams = (sys.stdout, sys.stderr)
    return all((getattr(each, "encoding", None) or "").lower() == "utf-8" for each in streams)


def _say(said: KeptAnswer) -> bool:
    """Write what was said before; False where that fails, which is for the slow way to tell."""
    try:
        for stream, text in said:
            (sys.stdout if stream == "out" else sys.stderr).write(text)
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        return False
    return True


def _run_anew(arguments: Sequence[str]) -> int:
    if arguments and arguments[0] in STAMPED:
        from trtbuild.cli.bare import read_bare

        command = read_bare(arguments)
        if command is not None:
            from trtbuild.cli.ending import run_to_end

            return run_to_end(command)
    from trtbuild.cli import app

    return app.run(list(arguments))


def _run_watched(arguments: Sequence[str], key: list[str]) -> int:
    """Run a command, and keep what it says if it finds all in place."""
    from trtbuild.core.watch import Watch
    from trtbuild.store import stamp

    began = time.time()
    said: KeptAnswer = []
    streams = sys.stdout, sys.stderr
    with Watch() as watch:
        sys.stdout = _RecordingStream(sys.stdout, "out", said, watch)
        sys.stderr = _RecordingStream(sys.stderr, "err", said, watch)
        try:
            code = _run_anew(arguments)
        finally:
            sys.stdout, sys.stderr = streams
    if code == 0:
        stamp.keep_answer(key, said, watch, began=began)
    return code


class _RecordingStream:
    """A text stream that remembers what was written to it."""

    def __init__(self, stream: TextIO, name: str, said: KeptAnswer, watch: Watch) -> None:
        self._stream, self._name, self._said, self._watch = stream, name, said, watch

    def write(self, text: str) -> int:
        written = self._stream.write(text)  # first: whether it takes bytes is found out by trying
        if text:
            self._said.append((self._name, text))
        return written

    def __getattr__(self, name: str) -> Any:
        if name in OTHER_WAYS:
            self._watch.doubt = f"something was written by way of {name}"
        return getattr(self._stream, name)
