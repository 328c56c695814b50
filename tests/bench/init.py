"""`trtbuild init` and then `trtbuild apply`, unedited, on ten models of different sorts.

python -m tests.bench.init [SORT...]
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.helpers.sorts import SORTS, save_pictures, save_sort

PICTURES = ("cnn", "detector", "vit", "super", "fixed", "two", "external")
"""Those that pictures can be given to."""


def main(sorts: list[str]) -> int:
    """Print a line for each model and data: the exit code, seconds, and what was delivered."""
    wrong = 0
    for sort in sorts or SORTS:
        for data in ("", "pictures") if sort in PICTURES else ("",):
            with tempfile.TemporaryDirectory() as folder:
                wrong += _try(sort, data, Path(folder))
    return 1 if wrong else 0


def _try(sort: str, data: str, folder: Path) -> bool:
    save_sort(sort, folder)
    if data:
        save_pictures(folder / data, 40, side=96)
    begun = time.monotonic()
    asked = ["init", f"{sort}.onnx", *(["--data", f"{data}/"] if data else [])]
    made = _type(asked, folder)
    written = time.monotonic()
    built = _type(["apply", "-q", f"{sort}.yaml"], folder) if not made.returncode else made
    told = f"init {written - begun:4.1f} s, apply {time.monotonic() - written:5.1f} s"
    engines = len(list(folder.rglob("model.engine")))
    print(f"{sort:9} {data or 'random':9} exit {built.returncode}, {engines} engine, {told}")  # noqa: T201
    if built.returncode:
        print(made.stderr + built.stderr)  # noqa: T201
    return bool(built.returncode) or not engines


def _type(words: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "TRTBUILD_STORE": str(folder / "store")}
    return subprocess.run(
        [sys.executable, "-m", "trtbuild", *words],
        cwd=folder, env=environment, text=True, capture_output=True, check=False,
    )  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
