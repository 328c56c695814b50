"""Recipes are held against what they name before one is built."""

from __future__ import annotations

import pytest

from tests.helpers.projects import edit, small_project
from trtbuild.core.errors import MissingFile, RecipeError
from trtbuild.verbs.ready import demand_ready, join_problems, list_problems, load_ready


def project(folder, name="small"):
    folder.mkdir()
    recipe = small_project(folder)
    return edit(recipe, "name: small", f"name: {name}")


def test_all_that_is_missing_is_told_at_once(tmp_path):
    """The model and the data; exit code 4, as for one."""
    recipe = project(tmp_path / "a")
    for path in (*recipe.parent.glob("*.onnx"), *recipe.parent.glob("*.npz")):
        path.unlink()

    with pytest.raises(MissingFile) as caught:
        load_ready(recipe)

    assert 1 < len(caught.value.message.splitlines())
    assert {"warning"} == {each.level for each in list_problems(recipe)}


def test_a_mistake_does_not_hide_a_missing_file(tmp_path):
    """Nor the other way round; both are errors to a build."""
    recipe = project(tmp_path / "a")
    (recipe.parent / "model.onnx").unlink()
    recipe.write_text(recipe.read_text() + "nonsense: 1\n")

    with pytest.raises(RecipeError) as caught:
        load_ready(recipe)

    assert [("model", "path"), ("nonsense",)] == [each.path for each in caught.value.problems]


def test_no_recipe_is_built_beside_a_bad_one(tmp_path):
    """What is wrong with the second is told before the first begins."""
    good, bad = project(tmp_path / "a"), project(tmp_path / "b", "other")
    bad.write_text(bad.read_text() + "nonsense: 1\n")

    with pytest.raises(RecipeError, match="nonsense"):
        demand_ready([good, bad])


def test_what_is_no_yaml_or_not_there_hides_no_other_recipe(tmp_path):
    """All recipes of a command are told of at once."""
    bad, odd = project(tmp_path / "a"), project(tmp_path / "b")
    bad.write_text(bad.read_text() + "nonsense: 1\n")
    odd.write_text("a: [\n")

    with pytest.raises(RecipeError) as caught:
        demand_ready([tmp_path / "gone.yaml", odd, bad])

    assert {str(bad), str(odd)} == {each.file for each in caught.value.problems}
    assert f"error: {tmp_path}/gone.yaml: no such file" in caught.value.message


def test_what_is_wrong_for_some_variants_names_them(tmp_path):
    """Once; what is so for all names none, nor does what the only variant that is meant has."""
    recipe = project(tmp_path / "a")
    text = (
        recipe.read_text()
        + "nonsense: 1\nvariants: {one: {}, two: {without: [nonsense]}, three: {}}\n"
    )
    recipe.write_text(text)
    paths = [recipe.with_name(f"{recipe.stem}.{name}.yaml") for name in ("one", "two", "three")]
    told = "`nonsense` is not a section of a recipe"

    def join(paths):
        return [each.message for each in join_problems([(p, list_problems(p)) for p in paths])]

    assert [f"{told} (variants `one` and `three`)"] == join(paths)
    assert [f"{told} (variant `one`)"] == join(paths[:2])
    assert [told] == join(paths[::2]) == join(paths[:1])
