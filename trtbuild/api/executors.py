"""Where steps run: executors by name, or one that the caller has."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from trtbuild.core.errors import UsageError

if TYPE_CHECKING:
    from trtbuild.run.executor import Executor

__all__ = ["EXECUTORS", "demand_buildable", "using_executor"]


def _local(jobs: int) -> Executor:
    from trtbuild.run.local import Local

    return Local(jobs)


def _inline(jobs: int) -> Executor:
    from trtbuild.run.inline import Inline

    return Inline(threads=jobs)


EXECUTORS: dict[str, Callable[[int], Executor]] = {"local": _local, "inline": _inline}
"""What makes an executor, by its name; it is told how many steps may run at once."""


def demand_buildable(executor: Executor | str, what: str) -> None:
    """Demand that engines can be built; of the caller's own executor nothing is demanded.

    Raises:
        WrongSystem: they would be built on this machine, and its operating system is not for it.
    """
    if isinstance(executor, str):
        from trtbuild.machine.system import demand_linux

        demand_linux(what)


@contextlib.contextmanager
def using_executor(executor: Executor | str, *, jobs: int = 1) -> Iterator[Executor]:
    """Yield an executor; one that is made here, by its name, is closed at the end.

    Raises:
        UsageError: there is none of that name.
    """
    if not isinstance(executor, str):
        yield executor
        return
    if executor not in EXECUTORS:
        raise UsageError(
            f"there is no executor `{executor}`", hint=f"executors: {', '.join(EXECUTORS)}"
        )
    with contextlib.closing(EXECUTORS[executor](jobs)) as made:
        yield made
