"""Commands as a user types them, in this process, by the way that a stamp can answer."""

from __future__ import annotations

import contextlib
import io
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from unittest import mock

from trtbuild.cli import start
from trtbuild.store import stamp


@dataclass
class Typed:
    code: int
    out: str
    err: str
    stamped: bool
    """What an earlier command had said was said again."""
    unkept: tuple[str, ...] = ()
    """Why what the last commands said was not kept, one after the other; nothing where it was."""


_REASONS: deque[str] = deque(maxlen=3)


def _remembering(keep: Callable[..., str]) -> Callable[..., str]:
    """Keep an answer, and remember why not: a test that fails then tells."""

    def keep_and_remember(*arguments: Any, **options: Any) -> str:
        why = keep(*arguments, **options)
        _REASONS.append(why)
        return why

    return keep_and_remember


def typed(*arguments: object) -> Typed:
    """Type a command."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="") for _ in range(2))
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        mock.patch.object(start, "_run_anew", wraps=start._run_anew) as anew,
        mock.patch.object(stamp, "keep_answer", _remembering(stamp.keep_answer)),
    ):
        code = start.run([str(argument) for argument in arguments])
        texts = [stream.seek(0) or stream.read() for stream in (out, err)]
    return Typed(code, *texts, stamped=not anew.called, unkept=tuple(_REASONS))


def planned(recipe: object) -> dict[str, str]:
    """Type `trtbuild plan` and return the verdict on each step."""
    answer = typed("plan", "--format", "json", recipe)
    assert 0 == answer.code, answer.err
    return {each["step"]: each["verdict"] for each in json.loads(answer.out)["steps"]}
