"""The arrows of the house point down."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import trtbuild

PACKAGE = Path(trtbuild.__file__).parent
LAYERS = [
    ["cli"],
    ["api"],
    ["report", "run"],
    ["plan"],
    ["recipe", "steps"],
    ["data", "calib", "graph", "quant", "backends", "measure"],
    ["core"],
]
RANK = {box: rank for rank, boxes in enumerate(LAYERS) for box in boxes}


def box_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def boxes_imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "trtbuild":
            names |= {f"trtbuild.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    parts = [name.split(".") for name in names if name.startswith("trtbuild.")]
    return {part[1] for part in parts if part[1] in RANK}


@pytest.mark.parametrize(
    "path",
    sorted(path for path in PACKAGE.rglob("*.py") if box_of(path) in RANK),
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_imports_point_down(path):
    """A module imports its own box or a lower one, never a sibling or a higher one."""
    here = box_of(path)
    wrong = [there for there in boxes_imported(path) if there != here and RANK[there] <= RANK[here]]

    assert [] == wrong
