"""What a bench comes to: the result, the files that are placed, what it was held against."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from trtbuild.core.bench_diff import BenchDiff
from trtbuild.core.digest import digest_of_bytes
from trtbuild.core.placed import BENCH
from trtbuild.core.timing import BenchResult
from trtbuild.store.benches import keep_bench
from trtbuild.store.store import Store
from trtbuild.verbs.benching.against import BenchBaseline
from trtbuild.verbs.deliver import deliver_files

__all__ = ["BenchReport", "DrawFiles", "draw_nothing", "place_bench"]

DrawFiles = Callable[[BenchResult], Mapping[str, str]]


def draw_nothing(_: BenchResult) -> Mapping[str, str]:
    """Draw no files."""
    return {}


@dataclass(frozen=True)
class BenchReport:
    """What was measured, and where it lies."""

    result: BenchResult
    files: tuple[Path, ...]
    against: BenchBaseline | None = None
    diff: BenchDiff | None = None
    """How it differs from an earlier one that it was to be held against."""


def place_bench(
    result: BenchResult, directory: Path, store: Store, draw: DrawFiles
) -> tuple[Path, ...]:
    """Keep a result by time, and place it, and what is drawn of it; return the files."""
    keep_bench(store, result)
    texts = {BENCH: result.model_dump_json(indent=2) + "\n", **draw(result)}
    deliver_files(
        directory,
        store,
        artifacts={},
        pages={name: partial(str, text) for name, text in texts.items()},
        basis=digest_of_bytes(texts[BENCH].encode()),
        whole=False,
    )
    return tuple(directory / name for name in texts)
