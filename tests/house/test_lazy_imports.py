"""The command line loads nothing heavy before it needs it."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {
    "numpy", "onnx", "onnx_graphsurgeon", "onnxruntime", "tensorrt", "tensorrt_rtx",
    "tensorrt_rtx_bindings", "polygraphy", "ray", "cv2", "PIL", "torch", "scipy", "sklearn",
}  # fmt: skip


def loaded_by(code: str) -> set[str]:
    code = f"import sys\n{code}\nprint(*sys.modules)"
    return set(subprocess.check_output([sys.executable, "-c", code], text=True).split())


def test_the_command_line_loads_nothing_heavy():
    """`trtbuild --help` must answer at once, and on any machine: even pydantic waits."""
    loaded = loaded_by("import trtbuild.cli.app")

    assert set() == loaded & (HEAVY | {"pydantic", "yaml", "rich"})


def test_an_answer_that_was_kept_needs_nothing():
    """Where a command begins, even a regular expression would take as long as all the rest."""
    loaded = loaded_by("import trtbuild.cli.start, trtbuild.store.stamp")

    assert set() == loaded & {"typer", "json", "re", "typing", "pathlib", "contextlib", "hashlib"}


@pytest.mark.parametrize(
    "module", ["recipe.load", "plan.compile", "run.walk", "api", "steps.any_step"]
)
def test_a_plan_needs_nothing_heavy(module):
    """What is known without running is known without the libraries that run it."""
    assert set() == loaded_by(f"import trtbuild.{module}") & HEAVY


def test_a_recipe_is_read_without_what_a_bench_measures():
    """Its section on speed is options; results and what judges them are classes by the dozen."""
    loaded = loaded_by("import trtbuild.plan.compile")

    assert set() == loaded & {"trtbuild.core.timing", "trtbuild.timing.judge"}


def test_a_process_that_only_counts_loads_little():
    """A calibration starts many of them: each would take longer to start than small models need."""
    assert set() == loaded_by("import trtbuild.calib.collect") & (HEAVY | {"pydantic"})


def test_help_works_where_nothing_is_installed():
    """-S and -I hide site-packages; only typer and what it stands on are put back."""
    code = (
        "import importlib.abc, sys\n"
        "class Hide(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.split('.')[0] in {HEAVY | {'pydantic', 'yaml'}!r}:\n"
        "            raise ModuleNotFoundError(name=name)\n"
        "sys.meta_path.insert(0, Hide())\n"
        "from trtbuild.cli.app import run\n"
        "sys.exit(run(['--help']))"
    )

    shown = subprocess.check_output([sys.executable, "-c", code], text=True)

    assert "apply" in shown
