"""step.json in, files out; the only module that ever holds a GPU."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from pydantic import ValidationError

from trtbuild.core.errors import CorruptObject, MissingDependency, TrtbuildError
from trtbuild.run.executor import Call, Progress
from trtbuild.steps.base import Context, Silent
from trtbuild.store.reading import while_reading

__all__ = ["dependency_hint", "main", "run_call"]

BUG = 70
PROVIDERS = {
    "torch": "trtbuild[torch]",
    "onnxscript": "trtbuild[torch]",
    "safetensors": "trtbuild[torch]",
    "PIL": "trtbuild[media]",
    "tensorrt_rtx": "trtbuild[rtx]",
    "tensorrt_rtx_bindings": "trtbuild[rtx-aot]",
}


class _Telling(Silent):
    """Events of a running call: notes are kept for the report, progress is passed on."""

    def __init__(self, name: str, tell: Callable[[Progress], None]) -> None:
        super().__init__()
        self._name = name
        self._tell = tell

    def progress(self, done: int, total: int, unit: str) -> None:
        """Pass it on."""
        self._tell(Progress(name=self._name, done=done, total=total, unit=unit))


def run_call(call: Call, tell: Callable[[Progress], None]) -> dict[str, Any]:
    """Run a call and return its end as plain values: name, message, hint, code, notes, caveats.

    An unexpected exception is a bug: its traceback goes to standard error (the log), its one line
    into the message.
    """
    events = _Telling(call.name, tell)
    context = Context(
        inputs={name: Path(path) for name, path in call.inputs.items()},
        out=Path(call.out),
        facts=call.facts,
        caveats=call.caveats,
        threads=call.threads,
        events=events,
    )
    problem = _problem_of(lambda: call.step.run(context))
    return {
        "name": call.name,
        **problem,
        "notes": tuple(events.notes),
        "caveats": tuple(dict.fromkeys([*call.caveats, *events.caveats])),
    }


def _problem_of(run: Callable[[], None]) -> dict[str, Any]:
    import traceback

    try:
        run()
    except TrtbuildError as error:
        if error.__cause__ is not None:  # what a library said in full belongs into the log
            traceback.print_exception(error.__cause__)
        return {"message": error.message, "hint": error.hint, "code": error.code}
    except ModuleNotFoundError as error:
        missing = dependency_hint(error)
        return {"message": missing.message, "hint": missing.hint, "code": missing.code}
    except MemoryError:
        return {"message": "out of memory", "hint": "", "code": 3}
    except OSError as error:
        return {"message": str(error), "hint": "", "code": 4}
    except Exception as error:  # noqa: BLE001  # the boundary of the process: told, never hidden
        traceback.print_exc()
        return _unexpected(error)
    return {"message": "", "hint": "", "code": 0}


def _unexpected(error: Exception) -> dict[str, Any]:
    if isinstance(error, ValidationError) and while_reading(error):
        return {
            "message": f"what it reads in the store ({error.title}) is of another trtbuild",
            "hint": "remove the store, which costs time and nothing else: `trtbuild store du` "
            "says where it is",
            "code": CorruptObject.code,
        }
    return {
        "message": f"a bug in trtbuild: {type(error).__name__}: {error}",
        "hint": "the log has the traceback; please report it",
        "code": BUG,
    }


def dependency_hint(error: ModuleNotFoundError) -> MissingDependency:
    """Return the error that says which extra brings a missing module."""
    name = (error.name or "").partition(".")[0]
    provider = PROVIDERS.get(name, name)
    return MissingDependency(f"`{name}` is not installed", hint=f"pip install '{provider}'")


def _die_with_parent() -> None:
    """Ask Linux to end this process when its parent ends, so that none is left behind."""
    import ctypes
    import signal

    pr_set_pdeathsig = 1
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def main(arguments: list[str]) -> int:
    """Run `CALL.json`, telling what happens as JSON lines on a file descriptor."""
    _die_with_parent()
    path, descriptor = arguments
    call = Call.model_validate_json(Path(path).read_bytes())
    with os.fdopen(int(descriptor), "w", buffering=1) as pipe:
        report = run_call(call, lambda progress: _send(pipe, progress.model_dump(mode="json")))
        _send(pipe, report)
    return 0


def _send(pipe: IO[str], value: dict[str, Any]) -> None:
    pipe.write(json.dumps(value) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
