"""The arrows of the house point down."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path

import trtbuild

PACKAGE = Path(trtbuild.__file__).parent
LAYERS = [
    ["cli"],
    ["api"],
    ["pipeline", "serve"],
    ["runtime"],
    ["report", "verbs"],
    ["run"],
    ["machine", "plan"],
    ["recipe", "steps"],
    ["timing"],
    ["data", "calib", "sources", "fixes", "quant", "backends", "measure"],
    ["model", "store"],
    ["core"],
]
QUANT_LAYERS = [
    ["trial"],
    ["apply"],
    ["rules"],
    ["adjusting", "adopting", "equalizing", "half", "switching"],
    ["writing"],
    ["placing"],
    ["base"],
]
"""The rooms of `quant/`; its other files are the base that any of them may import."""
RANK = {box: rank for rank, boxes in enumerate(LAYERS) for box in boxes}
QUANT_RANK = {room: rank for rank, rooms in enumerate(QUANT_LAYERS) for room in rooms}


def box_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def modules_imported(path: Path) -> list[list[str]]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "trtbuild":
            names |= {f"trtbuild.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return [name.split(".")[1:] for name in names if name.startswith("trtbuild.")]


def boxes_imported(path: Path) -> set[str]:
    return {parts[0] for parts in modules_imported(path) if parts[0] in RANK}


def test_imports_point_down():
    """A module imports its own box or a lower one, never a sibling or a higher one."""
    wrong = {
        str(path.relative_to(PACKAGE)): there
        for path in PACKAGE.rglob("*.py")
        if (here := box_of(path)) in RANK
        for there in boxes_imported(path)
        if there != here and RANK[there] <= RANK[here]
    }

    assert {} == wrong


def room_of(parts: Sequence[str]) -> str:
    """The room of a module of `quant/`; what is in none is at the base of all."""
    name = parts[1].removesuffix(".py") if len(parts) > 1 else "base"
    return name if name in QUANT_RANK else "base"


def test_rooms_of_quantization_point_down():
    """Placing knows nothing of writing, and neither of models that are quantized already."""
    wrong = {
        str(path.relative_to(PACKAGE)): room
        for path in (PACKAGE / "quant").rglob("*.py")
        if path.name != "__init__.py"
        for here in [room_of(path.relative_to(PACKAGE).parts)]
        for room in {room_of(parts) for parts in modules_imported(path) if parts[0] == "quant"}
        if room != here and QUANT_RANK[room] <= QUANT_RANK[here]
    }

    assert {} == wrong


def test_what_is_run_by_hand_imports_what_there_is():
    """No test runs a benchmark, and a name that moves would be missed there."""
    wrong = []
    for path in sorted((Path(__file__).parents[1] / "bench").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("trtbuild"):
                place = PACKAGE.parent.joinpath(*node.module.split("."))
                file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
                text = file.read_text() if file.is_file() else ""
                wrong += [
                    f"{path.name}: {node.module} has no {alias.name}"
                    for alias in node.names
                    if alias.name not in text and not any(place.glob(f"{alias.name}*"))
                ]

    assert [] == wrong
