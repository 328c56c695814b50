"""Recipes built one after the other or side by side; one that fails stops no other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from trtbuild.core.errors import StepFailed, TrtbuildError
from trtbuild.core.frozen import frozen
from trtbuild.run.executor import Executor
from trtbuild.verbs.fleet.board import Board

if TYPE_CHECKING:
    from trtbuild.verbs.apply import AppliedRecipe

__all__ = ["FleetBuild", "FleetRecipe", "build_fleet"]

BuildVerdict = Literal["built", "nothing to do", "gate failed", "failed", "not reached"]
ApplyOne = Callable[[Path, Executor], "AppliedRecipe"]


@frozen
class FleetRecipe:
    """What became of one recipe."""

    file: Path
    verdict: BuildVerdict
    seconds: float
    applied: AppliedRecipe | None = None
    message: str = ""
    """Why it failed."""
    hint: str = ""
    log: str = ""
    code: int = 0


@frozen
class FleetBuild:
    """What became of all."""

    recipes: tuple[FleetRecipe, ...]
    seconds: float

    @property
    def code(self) -> int:
        """The exit code: of the first that failed, 1 where only gates did, else 0."""
        codes = [each.code for each in self.recipes if each.verdict == "failed"]
        gates = any(each.verdict == "gate failed" for each in self.recipes)
        return codes[0] if codes else int(gates)


def build_fleet(
    recipes: Sequence[Path],
    executor: Executor,
    apply_one: ApplyOne,
    *,
    beside: int,
    tell: Callable[[FleetRecipe], None],
) -> FleetBuild:
    """Build recipes, so many beside each other; `tell` hears of each as it ends.

    What is wrong with one is its own: it is told, and the others are built.
    """
    begin = time.perf_counter()
    board, lock = Board(executor), threading.Lock()

    def build(path: Path) -> FleetRecipe:
        found = _build_one(path, board.view() if beside > 1 else executor, apply_one)
        with lock:
            tell(found)
        return found

    if beside <= 1:
        done = [build(path) for path in recipes]
    else:
        done = _build_beside(recipes, build, board, beside)
    return FleetBuild(tuple(done), round(time.perf_counter() - begin, 3))


def _build_beside(
    recipes: Sequence[Path], build: Callable[[Path], FleetRecipe], board: Board, beside: int
) -> list[FleetRecipe]:
    with ThreadPoolExecutor(beside) as threads:
        futures = [threads.submit(build, path) for path in recipes]
        try:
            return [future.result() for future in futures]
        except BaseException:
            board.stop()
            for future in futures:
                future.cancel()
            raise


def _build_one(path: Path, executor: Executor, apply_one: ApplyOne) -> FleetRecipe:
    begin = time.perf_counter()
    try:
        applied = apply_one(path, executor)
    except TrtbuildError as error:
        step = f"{error.step}: " if isinstance(error, StepFailed) else ""
        return FleetRecipe(
            path,
            "failed",
            round(time.perf_counter() - begin, 3),
            message=f"{step}{error.message}",
            hint=error.hint,
            log=error.log if isinstance(error, StepFailed) else "",
            code=error.code,
        )
    ran = any(outcome.status == "ran" for outcome in applied.overview.outcomes)
    verdict: BuildVerdict = "built" if ran or applied.changed else "nothing to do"
    return FleetRecipe(
        path,
        verdict if applied.passed else "gate failed",
        round(time.perf_counter() - begin, 3),
        applied,
        code=int(not applied.passed),
    )
