"""What is known of classes and sources where a recipe is packed."""

from __future__ import annotations

from trtbuild.run.inline import Inline
from trtbuild.verbs.packaging.package import Place, find_class_names, package_in_bundle

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
    here = Place(tmp_path / "build", (), store, Inline())

    found = package_in_bundle(loaded, here, tmp_path / "b", render=lambda *_: {})

    assert any("what it was built from is not in its provenance" in each for each in found.said)
