"""Recipes as they stand, from Python."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.projects import TINY, edit
from trtbuild import api
from trtbuild.core.errors import MissingFile, RecipeError, UsageError
from trtbuild.core.options import Options


def test_a_recipe_is_loaded_without_touching_its_model(project):
    """Its file may not even be there, of which `validate` warns."""
    Path("model.onnx").unlink()

    assert ("tiny", Path(project)) == (api.load(project).recipe.name, api.load(project).file)
    assert ["warning"] == [each.level for each in api.validate([project])]


def test_all_that_is_wrong_with_several_recipes_is_told(project):
    """In their order; a file that is missing hides no problem of another."""
    Path("bad.yaml").write_text(TINY.replace("onnxruntime", "tensorrt12"))
    found = api.validate([project, "bad.yaml", "gone.yaml"])

    assert ["bad.yaml", "gone.yaml"] == [each.file for each in found]
    assert [6, 1] == [each.mark.line for each in found]
    with pytest.raises(MissingFile, match=r"gone\.yaml"):
        api.validate([project, "gone.yaml"])


def test_a_pipeline_is_read_as_one_and_is_no_recipe(project):
    """What is wrong with it is told in its own words; verbs of recipes say what it is."""
    pipeline = Path(project).with_name("street.yaml")
    pipeline.write_text("version: 1\nsource: {kind: queue}\nstages: {cut: {python: 'a.py:cut'}}\n")
    assert () == api.validate([pipeline])
    with pytest.raises(RecipeError, match="is a pipeline, and no recipe"):
        api.load(pipeline)

    edit(pipeline, "kind: queue", "kind: tube")
    assert ["source.kind"] == [".".join(each.path) for each in api.validate([pipeline])]


@pytest.mark.parametrize("name", ["name: tiny", 'name: "tiny"  # ours', "'name': tiny"])
def test_two_recipes_of_one_name_are_kept_apart(project, name):
    """However it is written; one recipe twice, by any path, is no matter."""
    Path("other.yaml").write_text(TINY.replace("name: tiny", name))
    Path("third.yaml").write_text(TINY.replace("name: tiny", "name: third"))
    recipe = Path(project)

    api.demand_apart([recipe, recipe, recipe.absolute(), Path("third.yaml")])
    with pytest.raises(UsageError, match=r"recipe\.yaml and other\.yaml are both called `tiny`"):
        api.demand_apart([recipe, Path("third.yaml"), Path("other.yaml")])


def test_a_recipe_that_cannot_be_read_is_nobodys_namesake(project):
    """Building it says what is wrong."""
    Path("bad.yaml").write_text("[")

    api.demand_apart([Path(project), Path("bad.yaml"), Path("gone.yaml")])


def test_a_file_and_a_recipe_are_checked_alike(project):
    """The one as it is, the other as it would be built."""
    (plain,), (quantized,) = api.check("model.onnx"), api.check(project)

    assert (0, 24) == (plain.checks.coverage.asked_macs, quantized.checks.coverage.asked_macs)
    edit(Path(project), "x: 1.0", "nothing: 1.0")
    with pytest.raises(RecipeError, match="nothing"):
        api.check(project)


def test_every_section_has_its_kinds():
    """Classes of options, each with a kind of its own."""
    found = api.kinds()

    assert {"model", "fixes", "data", "calibrator", "weights", "targets", "metrics"} < set(found)
    for classes in found.values():
        assert all(issubclass(each, Options) for each in classes)
        assert len(classes) == len({each.model_fields["kind"].annotation for each in classes}) > 0


def test_editors_get_a_schema_of_recipes():
    """With what a recipe must have."""
    assert {"version", "name", "model", "targets"} == set(api.schema()["anyOf"][0]["required"])


def test_the_doctor_knows_every_kind_of_target(project, tmp_path):
    """Whether it can be built here or not."""
    found = api.doctor()

    assert len(api.kinds()["targets"]) == len(found.targets)
    assert all(each.builds or each.reason for each in found.targets)
    assert str(tmp_path / "store") == str(found.store)
