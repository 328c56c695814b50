"""What a build takes over from the builds before it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.executors import Recording
from tests.helpers.plans import plan_with
from trtbuild.core.errors import MissingDependency
from trtbuild.recipe.load import check_source
from trtbuild.recipe.source import parse_recipe_text
from trtbuild.run.executor import QuietListener
from trtbuild.run.walk import walk_plan
from trtbuild.verbs import build
from trtbuild.verbs.build import find_timing_caches

RECIPE = """version: 1
name: {name}
model: {{kind: onnx, path: m.onnx}}
targets:
  rtx: {{kind: tensorrt11}}
  other: {{kind: tensorrt11}}
"""


def recipe(name="small"):
    return check_source(
        Path("r.yaml"), parse_recipe_text("r.yaml", RECIPE.format(name=name).encode())
    )


def test_a_managed_timing_cache_is_that_of_the_targets_last_build(store):
    """From the store, whatever has changed in the recipe since; a target not built has none."""
    plan = plan_with()
    outcomes = walk_plan(plan, store, Recording(), QuietListener())
    (built,) = (each for each in outcomes if each.step == "build_engine(rtx)")
    (cache,) = (each for each in built.artifacts if each.name == "timing_cache")

    found = dict(find_timing_caches(recipe(plan.recipe).recipe, store))

    assert {"rtx": store.object_path(cache.digest)} == found


def test_without_a_build_there_is_no_managed_timing_cache(store):
    """The first build times everything."""
    assert {} == dict(find_timing_caches(recipe().recipe, store))


@pytest.mark.parametrize(
    ("reason", "hint"),
    [
        ("tensorrt is not installed", "TRTBUILD_PYTHON_TENSORRT11=/path/to/python"),
        ("there is no NVIDIA GPU with a driver here", "where that GPU is"),
    ],
)
def test_a_target_that_cannot_be_built_here_says_what_to_do(monkeypatch, store, reason, hint):
    """Another Python helps where a library is missing, and nothing here where the GPU is."""
    monkeypatch.delenv("TRTBUILD_PYTHON_TENSORRT11", raising=False)

    with pytest.raises(MissingDependency, match=reason) as caught:
        build.compile_for_machine(
            recipe(),
            store,
            Recording(hindrance=reason),
            targets=("rtx",),
            fetch=False,
        )

    assert hint in caught.value.hint
