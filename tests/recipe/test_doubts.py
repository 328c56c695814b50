"""What a recipe may say and hardly means."""

from __future__ import annotations

import pytest

from trtbuild.recipe.doubts import find_doubts
from trtbuild.recipe.load import check_source, load_recipe
from trtbuild.recipe.source import parse_recipe_text

TEXT = """\
version: 1
name: r
model: {kind: onnx, path: m.onnx}
data: {eval: {kind: images, path: p, preprocess: {SCALE}}}
targets: {rtx: {kind: tensorrt_rtx, workspace: SIZE}}
"""
SOUND = {"SCALE": "scale: 1", "SIZE": "1GiB"}


def doubts(**changes):
    text = TEXT
    for word, value in (SOUND | changes).items():
        text = text.replace(word, value)
    loaded = check_source("r", parse_recipe_text("r", text.encode()))
    return list(find_doubts(loaded.recipe, loaded.source))


def test_what_is_meant_is_not_doubted():
    """A small workspace that has a unit is of someone who knows; other rules speak of it."""
    assert [] == doubts() == doubts(SIZE="2MiB")


@pytest.mark.parametrize(
    ("changes", "path", "hint"),
    [
        ({"SCALE": "scale: 255"}, ("data", "eval", "preprocess", "scale"), "leave it out"),
        ({"SCALE": "scale: 128"}, ("data", "eval", "preprocess", "scale"), "`scale: 0.0078125`"),
        ({"SIZE": "4"}, ("targets", "rtx", "workspace"), "write `4GiB`"),
        ({"SIZE": "4096"}, ("targets", "rtx", "workspace"), "write `4096MiB`"),
    ],
)
def test_what_is_hardly_meant_is_a_warning(changes, path, hint):
    """With what to write for what was probably meant."""
    (doubt,) = doubts(**changes)

    assert (path, "warning") == (doubt.path, doubt.level)
    assert hint in doubt.hint


def test_a_variant_without_a_name_is_doubted(tmp_path):
    """Its results would replace those of the recipe that it extends."""
    (tmp_path / "base.yaml").write_text(TEXT.replace("SCALE", "scale: 1").replace("SIZE", "1GiB"))
    for name, text in (("one", ""), ("two", "name: two\n")):
        (tmp_path / f"{name}.yaml").write_text(f"extends: base.yaml\n{text}")
    found = {
        name: [each.path for each in find_doubts(loaded.recipe, loaded.source)]
        for name in ("one", "two")
        for loaded in [load_recipe(tmp_path / f"{name}.yaml")]
    }

    assert {"one": [("name",)], "two": []} == found
