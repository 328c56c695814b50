"""The page on adding a kind: each change applies as it is printed, and keeps its contract."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

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
    "calibrator": ["tests/contract/test_calibrators.py", "-k", "Sigmas or Kind"],
    "metric": ["tests/measure/test_metrics.py", "-k", "row or better"],
    "fix": ["tests/contract/test_fixes.py", "-k", "drop_double_neg or sample"],
    "data source": ["tests/contract/test_data_sources.py", "-k", "raw or sample"],
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_printed_change_is_whole(what, tmp_path):
    """It applies to this tree, and the new kind passes the tests that it has to."""
    ignored = shutil.ignore_patterns("__pycache__", "golden", "bench", "gpu")
    for folder in ("trtbuild", "tests"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    subprocess.run(
        ["git", "apply", "--recount", "-"],  # noqa: S607
        input=CHANGES[what],
        text=True,
        check=True,
        cwd=tmp_path,
        env={**os.environ, "GIT_CEILING_DIRECTORIES": str(tmp_path.parent)},
    )
    words = TESTS[what]
    more = f"{words[2]} or union or docstring" if len(words) > 2 else ""
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-x", words[0],
         "tests/house/test_kinds.py", "-k", more],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )  # fmt: skip

    assert 0 == ran.returncode, ran.stdout[-3000:]
