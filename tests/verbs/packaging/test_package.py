"""What is known of classes and sources where a recipe is packed."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.helpers.records import good
from trtbuild.core.errors import MissingFile, UsageError
from trtbuild.core.records import GateVerdict
from trtbuild.recipe.load import load_recipe
from trtbuild.run.inline import Inline
from trtbuild.verbs.packaging.package import (
    BuildPlace,
    find_class_names,
    package_for_triton,
    package_in_bundles,
)
from trtbuild.verbs.packaging.triton import Server
from trtbuild.verbs.packaging.writing import write_archive

ENGINE = ("a", "tensorrt10", "10.14.1.48", ("8.9",))
NAMED = {"kind": "yolo", "path": "data.yaml", "input": "x", "preprocess": {}}


def test_classes_have_the_names_that_the_data_has(place, tmp_path):
    """Of a description that is not here, none."""
    data = {"data": {"d": NAMED}, "compare": {"data": "d", "metrics": ["cosine"]}}
    loaded = place(**data).loaded

    assert () == find_class_names(loaded)
    (tmp_path / "data.yaml").write_text("names: [cat, dog]\nval: images\n")
    assert ("cat", "dog") == find_class_names(loaded)


def test_sources_that_are_gone_are_said(place, store, tmp_path):
    """What was built elsewhere can be packed here, but not told where it comes from."""
    loaded = place(data={"d": NAMED}, compare={"data": "d", "metrics": ["cosine"]}).loaded
    here = BuildPlace(tmp_path / "build", (), store, Inline())

    found = package_in_bundles([loaded], here, tmp_path / "b", render=lambda *_: {})

    assert any("what it was built from is not in its provenance" in each for each in found.said)


def test_a_gate_that_did_not_pass_is_said_where_it_is_packed(place, store, tmp_path):
    """By the command, at the top of what Triton reads, and in what is told of a bundle."""
    loaded = place(ENGINE).loaded
    verdict = GateVerdict(gate="cosine ≥ 1", passed=False, value=0.9)
    compared = good().comparison.model_copy(update={"verdicts": (verdict,), "caveats": ()})
    (tmp_path / "build/mean/comparison.json").write_text(compared.model_dump_json())
    here = BuildPlace(tmp_path / "build", (), store, Inline())
    how = {"version": 1, "engines": True, "picture": None}
    said = "placed with --no-gates: cosine ≥ 1"

    served = package_for_triton([loaded], here, tmp_path / "repo", Server(), **how)
    cards = []
    packed = package_in_bundles(
        [loaded], here, tmp_path / "b", render=lambda record, *_, **__: cards.append(record) or {}
    )

    assert said in served.said and said in packed.said  # noqa: PT018
    configs = [each.read_text() for each in (tmp_path / "repo").glob("*/config.pbtxt")]
    assert 2 == len(configs)
    assert all(each.startswith(f"# {said}\nname: ") for each in configs)
    assert (said,) == cards[0].caveats


@pytest.fixture
def pack_two(place, store, tmp_path):
    """Pack a recipe and one that is called as the ONNX model of the first."""

    def pack(*engines):
        loaded = place(*engines).loaded
        shutil.copytree(tmp_path / "build/mean", tmp_path / "build/mean_onnx")
        told = loaded.file.read_text().replace('"mean"', '"mean_onnx"')
        (tmp_path / "r2.yaml").write_text(told)
        recipes = [loaded, load_recipe(tmp_path / "r2.yaml")]
        here = BuildPlace(tmp_path / "build", (), store, Inline())
        how = {"version": 1, "engines": True, "picture": None}
        return package_for_triton(recipes, here, tmp_path / "repo", Server(), **how)

    return pack


def test_where_one_model_would_replace_something_else_none_is_written(pack_two, tmp_path):
    """What lies there stays, too."""
    (tmp_path / "repo/mean_onnx_onnx").mkdir(parents=True)

    with pytest.raises(UsageError, match="mean_onnx_onnx: is no model of a repository"):
        pack_two()
    assert ["mean_onnx_onnx"] == [each.name for each in (tmp_path / "repo").iterdir()]


def test_two_recipes_that_make_one_model_are_refused(pack_two, tmp_path):
    """The model of one is called as the engine of the other."""
    with pytest.raises(UsageError, match="two recipes make a model `mean_onnx`"):
        pack_two(("a", "tensorrt10", "10.14.1.48", ("8.9",)))
    assert not (tmp_path / "repo").exists()


def test_variants_are_a_bundle_each(place, store, tmp_path):
    """In one folder, by their names, with the file that holds them; one is a bundle as any."""
    place(variants={"a": {}, "b": {}})
    names = [tmp_path / f"r.{each}.yaml" for each in "ab"]
    variants = [load_recipe(each) for each in names]
    here = BuildPlace(tmp_path / "build", (), store, Inline())
    with pytest.raises(MissingFile, match=r"mean\.a: holds no model"):
        package_in_bundles(variants, here, tmp_path / "b", render=lambda *_: {})
    for each in "ab":
        shutil.copytree(tmp_path / "build/mean", tmp_path / f"build/mean.{each}")
    package_in_bundles(variants, here, tmp_path / "b", render=lambda *_: {})

    assert ["mean.a", "mean.b"] == sorted(each.name for each in (tmp_path / "b").iterdir())
    assert (tmp_path / "b/mean.a/recipe/r.yaml").read_bytes() == (tmp_path / "r.yaml").read_bytes()
    with pytest.raises(UsageError, match="is one archive, and the recipe has 2 variants"):
        package_in_bundles(variants, here, tmp_path / "b.zip", render=lambda *_: {})
    (tmp_path / "c/mean.b").mkdir(parents=True)
    with pytest.raises(UsageError, match="is there already, and is no bundle"):
        package_in_bundles(variants, here, tmp_path / "c", render=lambda *_: {})
    assert [tmp_path / "c/mean.b"] == list((tmp_path / "c").iterdir())
    package_in_bundles(variants[:1], here, tmp_path / "one", render=lambda *_: {})
    told = json.loads((tmp_path / "one/provenance.json").read_text())["predicate"]
    assert {"recipe": "r.a.yaml"} == told["buildDefinition"]["externalParameters"]
    assert "r.yaml" == told["buildDefinition"]["resolvedDependencies"][0]["name"]


@pytest.mark.parametrize("name", ["data.zip", "notes.zip", "old.ZIP"])
def test_an_archive_of_something_else_is_not_replaced(place, store, tmp_path, name):
    """Only one of a bundle is."""
    loaded = place().loaded
    here = BuildPlace(tmp_path / "build", (), store, Inline())
    path = tmp_path / name
    if name == "notes.zip":
        path.write_text("no archive")
    else:
        write_archive(path, {"mine/data.txt": b"mine"})
    before = path.read_bytes()

    with pytest.raises(UsageError, match=f"{name}: is there already, and is no bundle"):
        package_in_bundles([loaded], here, path, render=lambda *_: {})
    assert before == path.read_bytes()
    path.unlink()
    for _ in range(2):
        package_in_bundles([loaded], here, path, render=lambda *_: {})
    assert path.is_file()


def test_an_archive_of_another_sort_is_not_a_folder_of_that_name(place, store, tmp_path):
    """The way out is told."""
    here = BuildPlace(tmp_path / "build", (), store, Inline())

    with pytest.raises(UsageError, match="a bundle is a folder, or an archive that ends in"):
        package_in_bundles([place().loaded], here, tmp_path / "b.tgz", render=lambda *_: {})
    assert not (tmp_path / "b.tgz").exists()


@pytest.mark.parametrize(
    ("server", "picture", "told"),
    [
        (Server("99.99"), None, "--triton 99.99: is not in the table"),
        (Server(), (4, 4), "--picture: is of recipes that preprocess pictures"),
    ],
)
def test_what_is_asked_for_and_has_no_effect_is_refused(
    place, store, tmp_path, server, picture, told
):
    """Though no engine goes in; nothing is written."""
    here = BuildPlace(tmp_path / "build", (), store, Inline())
    how = {"version": 1, "engines": True, "picture": picture}

    with pytest.raises(UsageError, match=told):
        package_for_triton([place().loaded], here, tmp_path / "repo", server, **how)
    assert not (tmp_path / "repo").exists()
