"""Every error a user may meet, with its exit code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from trtbuild.core.escape import escape_controls

__all__ = [
    "CorruptObject",
    "LockMismatch",
    "MissingDependency",
    "MissingFile",
    "NoGpu",
    "NotWritable",
    "PlanStale",
    "RangeFileError",
    "RecipeError",
    "StepFailed",
    "StepInputError",
    "StoreInUse",
    "TrtbuildError",
    "UsageError",
    "WrongSystem",
    "join_errors",
]


class TrtbuildError(Exception):
    """An expected error: one sentence of what is wrong and where, and a hint with the next move.

    `lines` follow the sentence, each on a line of its own; whatever else begins a line was in the
    name of something, and is written out.
    """

    code: ClassVar[int]
    usual_hint: ClassVar[str] = ""
    """The next move where the one who raises knows no better."""

    def __init__(self, message: str, *, hint: str = "", lines: Sequence[str] = ()) -> None:
        self.message = "\n".join(map(escape_controls, (message, *lines)))
        self.hint = escape_controls(hint or self.usual_hint)
        super().__init__(self.message)


def join_errors(errors: Sequence[TrtbuildError]) -> TrtbuildError:
    """Return the first of several errors, which says what the others say too."""
    first, *rest = errors
    for each in rest:
        hint = f" (hint: {each.hint})" if each.hint and each.hint != first.hint else ""
        first.message += f"\nerror: {each.message}{hint}"
    return first


class UsageError(TrtbuildError):
    """What was typed on the command line is wrong."""

    code = 2


class RecipeError(TrtbuildError):
    """What a recipe says is wrong; carries all its problems, in file order.

    They are `recipe.problems.Problem`s, which core must not know; all it asks is `render()`.
    """

    code = 2

    def __init__(
        self, problems: Sequence[Any], *, hint: str = "", lines: Sequence[str] = ()
    ) -> None:
        first, *rest = "\n\n".join(problem.render() for problem in problems).split("\n")
        super().__init__(first, hint=hint, lines=[*rest, *(("", *lines) if lines else ())])
        self.problems: tuple[Any, ...] = tuple(problems)


class RangeFileError(TrtbuildError):
    """A file of ranges or scales cannot be read as what it claims to be, or written as asked."""

    code = 2
    usual_hint = "correct what is named, or write the file again with the tool that made it"


class StepInputError(TrtbuildError):
    """A step cannot use what it was given: a corrupt image, a NaN, a model that will not parse."""

    code = 3
    usual_hint = "mend the file that is named, and apply again"


class StepFailed(TrtbuildError):
    """A step failed; its directory and log are kept.

    `message` is another error's, or several: it may have lines.
    """

    code = 3

    def __init__(
        self, message: str, *, step: str, log: str = "", hint: str = "", code: int = 3
    ) -> None:
        first, *rest = message.split("\n")
        super().__init__(first, hint=hint, lines=rest)
        self.step = step
        self.log = log
        self.code = code  # type: ignore[misc]  # a step's own error keeps its exit code


class MissingDependency(TrtbuildError):
    """A library that the work needs is not installed."""

    code = 4


class MissingFile(TrtbuildError):
    """A file that a recipe names is not there, or is not a readable file."""

    code = 4
    usual_hint = "check the path; what a recipe names is looked for beside the recipe"


class NotWritable(TrtbuildError):
    """A directory that must be written to cannot be."""

    code = 4


class StoreInUse(TrtbuildError):
    """The store cannot be swept while something is being built with it."""

    code = 4


class NoGpu(TrtbuildError):
    """The work needs a GPU that this machine does not have."""

    code = 4


class WrongSystem(TrtbuildError):
    """The work needs another operating system."""

    code = 4


class LockMismatch(TrtbuildError):
    """What would be built is not what the lock promises."""

    code = 5


class PlanStale(TrtbuildError):
    """What would be done is not what a saved plan says."""

    code = 5


class CorruptObject(TrtbuildError):
    """Stored bytes, or a pinned file, are not what their digest says."""

    code = 5
    usual_hint = "`trtbuild store verify` removes what is damaged; the next apply makes it again"
