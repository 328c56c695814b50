"""What was measured of a recipe's speed, by time: kept for the next time to be held against."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

from pydantic import ValidationError

from trtbuild.core.errors import MissingFile
from trtbuild.core.files import write_whole
from trtbuild.core.regular_files import read_regular
from trtbuild.core.timing import BenchResult
from trtbuild.store.store import Store

__all__ = ["keep_bench", "list_benches", "read_bench"]

MOST_KEPT = 50
MOST_BYTES = 16 << 20
_OTHER = re.compile(r"[^A-Za-z0-9._-]+")


def keep_bench(store: Store, found: BenchResult) -> None:
    """Write a result down; beyond fifty of one name, the oldest go."""
    folder = _folder(store, found.name)
    folder.mkdir(parents=True, exist_ok=True)
    name = _OTHER.sub("-", found.when)
    write_whole(folder / f"{name}.json", found.model_dump_json().encode())
    for old in sorted(folder.glob("*.json"))[:-MOST_KEPT]:
        old.unlink(missing_ok=True)


def list_benches(store: Store, name: str) -> tuple[BenchResult, ...]:
    """Return the results of a name that are kept, oldest first; what is damaged is left out."""
    folder = _folder(store, name)
    found = (read_bench(path) for path in sorted(folder.glob("*.json")))
    return tuple(each for each in found if each is not None and each.name == name)


def read_bench(path: Path) -> BenchResult | None:
    """Return what a file holds; None where that is no result."""
    with contextlib.suppress(MissingFile, ValidationError):
        return BenchResult.model_validate_json(read_regular(path, most_bytes=MOST_BYTES))
    return None


def _folder(store: Store, name: str) -> Path:
    return store.root / "benches" / (_OTHER.sub("-", name).strip(".") or "bench")
