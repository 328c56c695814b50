"""Calls in, files out; the only module that ever holds a GPU."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from trtbuild.core.errors import MissingDependency, TrtbuildError
from trtbuild.core.escape import escape_controls
from trtbuild.core.log_levels import USUAL, LogLevel
from trtbuild.core.user_code import Observed, explain_withheld, watch_user_code
from trtbuild.run.executor import Call, StepProgress
from trtbuild.run.identity import identify
from trtbuild.steps.base import Context, QuietEvents, Step
from trtbuild.steps.held_files import hold_files

__all__ = ["explain_import_error", "main", "run_call"]

BUG = 70
PROVIDERS = {
    "torch": "trtbuild[torch]",
    "onnxscript": "trtbuild[torch]",
    "safetensors": "trtbuild[torch]",
    "transformers": "trtbuild[huggingface]",
    "huggingface_hub": "trtbuild[huggingface]",
    "ultralytics": "trtbuild[ultralytics]",
    "PIL": "trtbuild[media]",
    "av": "trtbuild[video]",
    "tokenizers": "trtbuild[text]",
    "soundfile": "trtbuild[audio]",
    "pyarrow": "trtbuild[datasets]",
    "pycocotools": "trtbuild[detection]",
    "onnxslim": "trtbuild[simplify]",
    "cuda": "trtbuild[cuda]",
    "tensorrt_rtx": "trtbuild[rtx]",
    "tensorrt_rtx_bindings": "trtbuild[rtx-aot]",
}


class _Telling(QuietEvents):
    """Events of a running call: notes are kept for the report, progress is passed on."""

    def __init__(self, name: str, tell: Callable[[StepProgress], None]) -> None:
        super().__init__()
        self._name = name
        self._tell = tell

    def progress(self, done: int, total: int, unit: str) -> None:
        """Pass it on."""
        self._tell(StepProgress(name=self._name, done=done, total=total, unit=unit))


def run_call(
    call: Call,
    tell: Callable[[StepProgress], None],
    *,
    threads: int,
    log_level: LogLevel = USUAL,
) -> dict[str, Any]:
    """Run a call and return its end as plain values: name, message, hint, code, what was noted.

    An unexpected exception is a bug: its traceback goes to standard error (the log), its one line
    into the message.
    """
    events = _Telling(call.name, tell)
    context = Context(
        inputs={name: Path(path) for name, path in call.inputs.items()},
        out=Path(call.out),
        facts=call.facts,
        caveats=call.caveats,
        threads=threads,
        log_level=log_level,
        events=events,
    )
    observed: dict[str, str] = {}
    problem = _problem_of(lambda: observed.update(_run_step(call, context)))
    full = False
    if problem["code"] and context.inference_device:
        from trtbuild.model.session import is_gpu_full

        full = is_gpu_full(problem["message"])
    return {
        "name": call.name,
        **problem,
        "log_level": log_level,
        "gpu_full": full,
        "observed": observed,
        "notes": tuple(events.notes),
        "warnings": tuple(events.warnings),
        "caveats": tuple(dict.fromkeys([*call.caveats, *events.caveats])),
    }


def _run_step(call: Call, context: Context) -> dict[str, str]:
    """Run a step, and return what code of the user's rested on in it."""
    code = call.step.user_code()
    if code is None:
        _run_held(call.step, context)
        return {}
    scratch, found = context.out.parent, Observed()
    try:
        with watch_user_code(code, scratch=scratch, left_out=call.inputs.values()) as found:
            _run_held(call.step, context)
    except TrtbuildError as error:
        if found.withheld:
            error.hint = explain_withheld(found.withheld)
        raise
    for note in found.notes:
        context.events.note(note)
    if found.withheld:
        context.events.warn(explain_withheld(found.withheld))
    for caution in found.cautions:
        context.events.caveat(caution)
    return found.words


def _run_held(step: Step, context: Context) -> None:
    with hold_files(step):
        step.run(context)


def _problem_of(run: Callable[[], None]) -> dict[str, Any]:
    import traceback

    try:
        run()
    except TrtbuildError as error:
        if error.__cause__ is not None:  # what a library said in full belongs into the log
            traceback.print_exception(error.__cause__)
        return {"message": error.message, "hint": error.hint, "code": error.code}
    except ModuleNotFoundError as error:
        missing = explain_import_error(error)
        return {"message": missing.message, "hint": missing.hint, "code": missing.code}
    except MemoryError:
        return {"message": "out of memory", "hint": "", "code": 3}
    except OSError as error:
        return {"message": escape_controls(str(error)), "hint": "", "code": 4}
    except Exception as error:  # noqa: BLE001  # the boundary of the process: told, never hidden
        traceback.print_exc()
        return _describe_unexpected(error)
    return {"message": "", "hint": "", "code": 0}


def _describe_unexpected(error: Exception) -> dict[str, Any]:
    return {
        "message": escape_controls(f"a bug in trtbuild: {type(error).__name__}: {error}"),
        "hint": "the log has the traceback; please report it",
        "code": BUG,
    }


def explain_import_error(error: ModuleNotFoundError) -> MissingDependency:
    """Return the error that says which extra brings a missing module."""
    name = (error.name or "").partition(".")[0]
    provider = PROVIDERS.get(name, name)
    return MissingDependency(f"`{name}` is not installed", hint=f"pip install '{provider}'")


def _die_with_parent(parent: int) -> None:
    """End this process when its parent ends, be it in the middle of a step.

    Linux does it whatever this process is doing; elsewhere, and where the parent was gone before
    it was asked, the end of standard input does.
    """
    import ctypes
    import signal

    pr_set_pdeathsig = 1
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
    # On Windows, the launcher of a virtual environment stands between the two.
    if os.name == "posix" and os.getppid() != parent:
        os._exit(1)


def _read_lines(lines: queue.SimpleQueue[bytes]) -> None:
    """Pass on what is asked for; where nobody can ask any more, end the process."""
    with os.fdopen(os.dup(0), "rb") as stream:
        for line in stream:
            lines.put(line)
    os._exit(0)


class _Output:
    """Standard output and error of this process, C libraries' included, led into files."""

    def __init__(self) -> None:
        self.reports = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
        self.lead(os.devnull)

    def lead(self, path: str) -> None:
        """Let what is written from now on go to the end of a file."""
        self._flush()
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        for descriptor in (1, 2):
            os.dup2(file, descriptor)
        os.close(file)

    def _flush(self) -> None:
        import ctypes

        sys.stdout.flush()
        sys.stderr.flush()
        with contextlib.suppress(OSError, AttributeError, TypeError):
            ctypes.CDLL(None).fflush(None)  # what C libraries have not written yet

    def report(self, value: dict[str, Any]) -> None:
        """Say something to whoever started this process, a line."""
        self.reports.write(json.dumps(value) + "\n")


def _peak_bytes() -> int:
    """Return the most memory that this process has had; 0 where it is not told."""
    try:
        import resource
    except ImportError:
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main(arguments: list[str]) -> int:
    """Run the calls that standard input brings, telling what happens on standard output."""
    (parent,) = arguments
    _die_with_parent(int(parent))
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_read_lines, args=(lines,), daemon=True).start()
    output = _Output()
    output.report({"hello": identify().model_dump(mode="json")})
    while True:
        asked = json.loads(lines.get())
        call = Call.model_validate_json(json.dumps(asked["call"]))
        # Wherever the command is typed: a relative path in code of the user's means one file.
        os.chdir(Path(call.out).parent)
        output.lead(call.log)
        report = run_call(
            call,
            lambda progress: output.report(progress.model_dump(mode="json")),
            threads=asked["threads"],
            log_level=asked["log_level"],
        )
        output.lead(os.devnull)
        output.report({**report, "peak_bytes": _peak_bytes()})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
