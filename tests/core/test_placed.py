"""The names of placed files, in one place."""

from __future__ import annotations

from pathlib import Path

import pytest

import trtbuild
from trtbuild.core import placed
from trtbuild.core.errors import RecipeError
from trtbuild.recipe.load import check_source
from trtbuild.recipe.source import parse_recipe_text


@pytest.mark.parametrize("name", sorted(placed.list_reserved_names()))
def test_no_target_can_be_called_as_a_file_beside_it(name):
    """Its folder would be in the file's way."""
    head = "version: 1\nname: r\nmodel: {kind: onnx, path: m}\ntargets:\n"
    text = f"{head}  {name}: {{kind: onnxruntime}}\n"

    with pytest.raises(RecipeError, match=name):
        check_source(Path("r.yaml"), parse_recipe_text("r.yaml", text.encode()))


def test_nobody_else_writes_a_models_name():
    """Messages and docstrings aside: a name that is written twice drifts."""
    names = {name for each in placed.MODELS.values() for name in (each.file, each.weights)}
    package = Path(trtbuild.__file__).parent
    wrong = [
        f"{path.relative_to(package)}: {name}"
        for path in package.rglob("*.py")
        for name in names
        if f'"{name}"' in path.read_text() and path.name != "placed.py"
    ]

    assert [] == wrong
