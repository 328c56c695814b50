"""What an engine is asked for by: itself and its recipe, or the recipe and a target."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.projects import edit
from trtbuild import api
from trtbuild.core.errors import MissingFile, UsageError

BOTH = "ort: {kind: onnxruntime}\n  it: {kind: tensorrt11}"


@pytest.mark.parametrize(
    ("path", "more", "said"),
    [
        ("build/tiny/it/model.engine", {}, "which recipe was it built by"),
        ("model.engine", {"recipe": "recipe.yaml"}, "does not lie where engines of recipe.yaml"),
        ("build/other/it/model.engine", {"recipe": "recipe.yaml"}, "does not lie where"),
        ("recipe.yaml", {}, "has 2 targets"),
        ("recipe.yaml", {"target": "none"}, "there is no target `none`"),
    ],
)
def test_what_does_not_say_which_engine_is_refused(project, path, more, said):
    """With what would."""
    edit(Path(project), "ort: {kind: onnxruntime}", BOTH)
    api.apply("recipe.yaml", build_dir="build", targets=("ort",))

    with pytest.raises(UsageError, match=said):
        api.refit(path, "model.onnx", **more)


def test_an_engine_is_found_where_it_is_placed(project):
    """Its build directory, and its target, follow from its path."""
    with pytest.raises(MissingFile, match="build/tiny: holds no model"):
        api.refit("build/tiny/ort/model.engine", "model.onnx", recipe=project)
    api.apply(project, build_dir="build")
    found = api.refit("build/tiny/ort/model.engine", "model.onnx", recipe=project)

    assert "build/tiny/ort/model.engine" == str(found.engine)
    assert not found.passed
