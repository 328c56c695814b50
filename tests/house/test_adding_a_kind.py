"""The page on adding a kind: each change applies as it is printed, and keeps its contract."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "README.md").read_text().partition("### Add a kind")[2].partition("\n## ")[0]
CHANGES = dict(
    zip(
        ("calibrator", "metric", "fix", "data source"),
        re.findall(r"```diff\n(.*?)```", PAGE, re.DOTALL),
        strict=True,
    )
)
TESTS = {
    "calibrator": ("tests/contract/test_calibrators.py", "Sigmas or Kind"),
    "metric": ("tests/measure/test_metrics.py", "row or better"),
    "fix": ("tests/contract/test_fixes.py", "drop_double_neg or sample"),
    "data source": ("tests/contract/test_data_sources.py", "raw or sample"),
}


def test_the_printed_changes_are_whole(tmp_path):
    """Each applies to this tree, and the new kind passes the tests that it has to.

    In one tree and one run: four would each begin with loading the same.
    """
    ignored = shutil.ignore_patterns("golden", "bench", "gpu")  # compiled modules hold there too
    for folder in ("trtbuild", "tests"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for change in CHANGES.values():
        subprocess.run(
            ["git", "apply", "--recount", "-"],  # noqa: S607
            input=change,
            text=True,
            check=True,
            cwd=tmp_path,
            env={**os.environ, "GIT_CEILING_DIRECTORIES": str(tmp_path.parent)},
        )
    words = " or ".join(TESTS[what][1] for what in CHANGES)
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-x",
         *(TESTS[what][0] for what in CHANGES), "tests/house/test_kinds.py",
         "-k", f"{words} or union or docstring"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )  # fmt: skip

    assert 0 == ran.returncode, ran.stdout[-3000:]
