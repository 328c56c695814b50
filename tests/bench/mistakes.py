"""Every verb on every bad recipe, whole and with every section there is: how many tracebacks.

    python tests/bench/mistakes.py

Takes about a minute; prints what fell over, and ends with 1 where something did.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.helpers.spoilt import add_sections  # noqa: E402  # the tests are no package that is installed
from trtbuild.cli.app import run  # noqa: E402
from trtbuild.cli.ending import BUG  # noqa: E402

RECIPES = ROOT / "tests/golden/recipes"
VERBS = (
    ("validate", "{}"),
    ("validate", "--format", "json", "{}"),
    ("validate", "--format", "github", "{}"),
    ("check", "{}"),
    ("plan", "{}"),
    ("apply", "{}"),
    ("apply", "--locked", "{}"),
    ("why", "{}"),
    ("lock", "{}"),
    ("lock", "--check", "{}"),
    ("verify", "{}"),
    ("diff", "{}", "{}"),
    ("run", "{}", "inputs.npz"),
    ("script", "{}", "--target", "rtx"),
    ("ranges", "show", "{}"),
)


def falls_over(arguments: list[str]) -> str:
    """Run a command; return its last line where it ends in a traceback."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        code = run(arguments)
    said = out.getvalue()
    return said if code == BUG or "Traceback" in said else ""


def main() -> int:
    """Print how many commands ran, and which of them fell over."""
    found = tried = 0
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.environ["TRTBUILD_STORE"] = f"{folder}/store"
        for recipe in sorted(RECIPES.glob("*.yaml")):
            data = recipe.read_bytes()
            whole = add_sections(data.decode("utf-8", "replace")).encode()
            for name, content in (("bare.yaml", data), ("whole.yaml", whole)):
                Path(name).write_bytes(content)
                for verb in VERBS:
                    tried += 1
                    arguments = [name if each == "{}" else each for each in verb]
                    if said := falls_over(arguments):
                        found += 1
                        sys.stdout.write(f"{recipe.stem} {' '.join(arguments)}\n{said}\n")
    sys.stdout.write(f"{tried} commands, {found} tracebacks\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
