"""What an apply has left, read again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from trtbuild.backends.tensorrt.options import ANY_GPU
from trtbuild.core.errors import CorruptObject, MissingFile, UsageError
from trtbuild.recipe.load import load_recipe
from trtbuild.verbs.packaging.placed_build import demand_distinct, read_build

ENGINE = ("a", "tensorrt10", "10.14.1.48", ("8.9",))


def read(build, **options):
    settings = {"targets": (), "doubt": lambda *_: "", **options}
    return read_build(build.loaded, build.directory.parent, **settings)


def test_an_engine_is_the_one_that_its_json_is_about(place):
    """Or it is refused."""
    build = place(ENGINE)

    assert ["10.14.1.48"] == [each.version for each in read(build).engines]
    build.engines[0].path.write_bytes(b"other")
    with pytest.raises(CorruptObject, match=r"is not the engine that engine\.json is about"):
        read(build)


@pytest.mark.parametrize(
    ("expected", "built_for", "options"),
    [
        ("8.9", "8.9", {}),
        ("9.0", ANY_GPU, {}),
        ("8.0 8.6 8.7 8.9 9.0 10.0 10.3 11.0 12.0 12.1", ANY_GPU,
         {"hardware_compatibility_level": "AMPERE_PLUS"}),
    ],
)  # fmt: skip
def test_an_engine_is_for_the_gpu_that_built_it(place, expected, built_for, options):
    """Unless it says which others."""
    (engine,) = place(ENGINE).engines
    told = {"built_for": (built_for,), "options": options, "versions": {"gpu": "NVIDIA H200 (9.0)"}}
    made = replace(engine, result=engine.result.model_copy(update=told))

    assert expected.split() == [*made.capabilities]


def test_plugins_are_left_to_whoever_runs_it(place, tmp_path):
    """They are named: no bundle brings them."""
    build = place(ENGINE)
    text = (tmp_path / "r.yaml").read_text()
    (tmp_path / "r.yaml").write_text(
        text.replace('"workspace"', '"plugins": ["a/b.so"], "workspace"')
    )

    (told,) = read(replace(build, loaded=load_recipe(tmp_path / "r.yaml"))).list_remarks()
    assert "the engine of `a` needs b.so, which is not packed" in told
    assert [] == build.list_remarks()


def test_a_target_that_is_asked_for_must_be_there(place):
    """As a target of the recipe, and as an engine."""
    build = place(ENGINE)

    with pytest.raises(UsageError, match="there is no target `b`"):
        read(build, targets=("b",))
    build.engines[0].path.unlink()
    assert () == read(build).engines
    with pytest.raises(MissingFile, match="there is no such engine"):
        read(build, targets=("a",))


def test_what_is_not_known_to_be_of_the_recipe_is_said_once(place):
    """However many files there are."""
    assert ("was not built here",) == read(
        place(ENGINE), doubt=lambda *_: "was not built here"
    ).doubts


def test_two_of_one_name_are_refused(place):
    """They would be packed into one folder."""
    build = place(ENGINE)

    with pytest.raises(UsageError, match="is called `mean`, as"):
        demand_distinct([build, build])
