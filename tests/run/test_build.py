"""What a build takes over from the builds before it."""

from __future__ import annotations

from pathlib import Path

from tests.helpers.executors import Recording
from tests.helpers.plans import plan_with
from trtbuild.recipe.load import loaded
from trtbuild.recipe.source import parse
from trtbuild.run.build import timing_caches
from trtbuild.run.engine import walk
from trtbuild.run.executor import Quiet


def recipe_of(plan):
    text = f"""version: 1
name: {plan.recipe}
model: {{kind: onnx, path: m.onnx}}
targets:
  rtx: {{kind: tensorrt11}}
  other: {{kind: tensorrt11}}
"""
    return loaded(Path("r.yaml"), parse("r.yaml", text.encode())).recipe


def test_a_managed_timing_cache_is_that_of_the_targets_last_build(store):
    """From the store, whatever has changed in the recipe since; a target not built has none."""
    plan = plan_with()
    outcomes = walk(plan, store, Recording(), Quiet())
    (built,) = (each for each in outcomes if each.step == "build_engine(rtx)")
    (cache,) = (each for each in built.artifacts if each.name == "timing_cache")

    found = dict(timing_caches(recipe_of(plan), store))

    assert {"rtx": store.object_path(cache.digest)} == found


def test_without_a_build_there_is_no_managed_timing_cache(store):
    """The first build times everything."""
    assert {} == dict(timing_caches(recipe_of(plan_with()), store))
