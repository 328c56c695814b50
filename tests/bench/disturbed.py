"""Applies that are killed or that crowd each other: the bytes of an undisturbed one, work once.

By hand: `python tests/bench/disturbed.py [POINTS] [PROCESSES]`; 50 and 8 take about ten minutes.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.helpers.projects import edit, small_project, started

SAME_BYTES = ("model.fp32.onnx", "model.int8.onnx", "ranges.json", "comparison.json")


def say(text: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def finished(recipe: Path, store: Path) -> None:
    """Apply and demand that it ends well."""
    process = started(recipe, store)
    told, _ = process.communicate()
    assert 0 == process.returncode, told


def left(build: Path) -> dict[str, object]:
    """Return what must be the same: files by their bytes, the engine by its tactics."""
    engine = json.loads((build / "rtx/engine.json").read_text())
    assert (build / "rtx/model.engine").stat().st_size == engine["engine_size_bytes"]
    files: dict[str, object] = {name: (build / name).read_bytes() for name in SAME_BYTES}
    return {**files, "engine": (engine["tactics"], engine["model_digest"], engine["layers"])}


def undisturbed(place: Path) -> tuple[dict[str, object], float]:
    """Apply once, and return what it left and how long it took."""
    recipe, begin = small_project(place / "project"), time.perf_counter()
    finished(recipe, place / "store")
    return left(recipe.parent / "build/small"), time.perf_counter() - begin


def survives(place: Path, moment: float, expected: dict[str, object]) -> bool:
    """Kill an apply after so many seconds, apply again, compare; tell if it was killed in time."""
    recipe = small_project(place / "project")
    process = started(recipe, place / "store")
    time.sleep(moment)
    killed = process.poll() is None
    with contextlib.suppress(ProcessLookupError):  # it may just have finished
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    finished(recipe, place / "store")
    assert left(recipe.parent / "build/small") == expected, f"killed after {moment:.3f} s"
    verified = subprocess.run(
        [sys.executable, "-m", "trtbuild", "store", "verify"],
        env={**os.environ, "TRTBUILD_STORE": str(place / "store")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == verified.returncode, verified.stdout
    return killed


def crowd(place: Path, variants: Sequence[str]) -> dict[str, int]:
    """Apply at once, a process a calibrator, in one store; return how often each step ran."""
    recipes = []
    for index, calibrator in enumerate(variants):
        recipe = small_project(place / f"project{index}")
        recipes.append(edit(recipe, "kind: minmax", f"kind: {calibrator}"))
    processes = [started(recipe, place / "store") for recipe in recipes]
    told = [process.communicate()[0] for process in processes]
    assert {0} == {process.returncode for process in processes}, told
    counts: dict[str, int] = {}
    for text in told:
        for line in text.splitlines():
            if line.startswith("  done "):
                step = line.split()[1]
                counts[step] = counts.get(step, 0) + 1
    return counts


def main(points: int, processes: int) -> None:
    """Run everything and print what came of it."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        expected, seconds = undisturbed(place / "undisturbed")
        say(f"undisturbed: {seconds:.1f} s")
        same = crowd(place / "same", ["minmax"] * processes)
        say(f"{processes} applies of one recipe at once: {same}")
        assert {1} == set(same.values())
        kinds = ["minmax", "mse", "entropy2", "percentile, percentile: 99.0"]
        several = crowd(place / "several", [kinds[i % len(kinds)] for i in range(processes)])
        say(f"{processes} applies of {len(kinds)} recipes at once: {several}")
        shared = ("import_model", "fix_graph", "capture_data(calib)", "infer(reference)")
        assert {1} == {several[step] for step in shared}
        assert len(kinds) == several["calibrate"] == several["build_engine(rtx)"]
        chance = random.Random(0)
        moments = [chance.uniform(0.05, seconds) for _ in range(points)]
        killed = [survives(place / f"k{i}", moment, expected) for i, moment in enumerate(moments)]
        say(f"{sum(killed)} of {points} applies were killed; all {points} ended in the same bytes")


if __name__ == "__main__":
    main(*(int(word) for word in (*sys.argv[1:], "50", "8")[:2]))
