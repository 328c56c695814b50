"""Implicit quantization, and calibration by TensorRT itself, as steps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.helpers.models import model_of
from trtbuild.plan.compile import CompileContext, compile_recipe
from trtbuild.recipe.load import check_source
from trtbuild.recipe.source import parse_recipe_text
from trtbuild.steps.base import Pinned, Ref

RECIPE = """\
version: 1
name: tiny
model: {kind: onnx, path: tiny.onnx}
data: {calib: {kind: arrays, path: calib.npz}}
profiles:
  - x: {min: [1, 4], opt: [2, 4], max: [8, 4]}
quantization:
  mode: MODE
  data: calib
  calibrator: {kind: entropy2}
  calibrate_with: WITH
  skip: [last]
targets:
  ten: {kind: tensorrt10, timing_cache: t.cache, plugins: [p.so]}
  other: {kind: tensorrt10}
"""
FACTS = {"polygraphy": "0.53.6", "tensorrt": "10.16.1.11", "gpu": "NVIDIA L4 (8.9)"}


@pytest.fixture
def planned(tmp_path):
    """Compile the recipe; nothing of what it names is read but digests."""

    def run(mode="implicit", calibrates="trtbuild", **more):
        text = RECIPE.replace("MODE", mode).replace("WITH", calibrates)
        np.savez(tmp_path / "calib.npz", x=np.zeros((2, 4), np.float32))
        model = model_of("g (float[n, 4] x) => (float[n, 4] y) { [last] y = Relu(x) }")
        (tmp_path / "tiny.onnx").write_bytes(model.SerializeToString())
        here = CompileContext(
            base=tmp_path,
            pin=lambda path: Pinned(path=str(path), digest=f"sha256:{path.name}"),
            facts=FACTS,
            **more,
        )
        recipe = check_source(
            Path("tiny.yaml"), parse_recipe_text("tiny.yaml", text.encode())
        ).recipe
        return {each.name: each for each in compile_recipe(recipe, here).steps}

    return run


def test_implicit_mode_builds_the_float_model_with_ranges(planned):
    """Every tensor is calibrated; what the recipe requests of nodes goes along."""
    steps = planned()
    build = steps["build_engine(ten)"].step

    assert steps["calibrate"].step.everything
    assert Ref(step="fix_graph", output="model") == build.model
    assert Ref(step="quantize", output="ranges") == build.ranges
    assert ("last",) == build.skip


def test_explicit_mode_builds_the_model_with_pairs(planned):
    """And calibrates what pairs need."""
    steps = planned("explicit")
    build = steps["build_engine(ten)"].step

    assert not steps["calibrate"].step.everything
    assert (Ref(step="quantize", output="model"), None) == (build.model, build.ranges)


@pytest.mark.parametrize("mode", ["explicit", "implicit"])
def test_tensorrt_calibrates_in_the_place_of_trtbuild(planned, mode):
    """With the first target of TensorRT 10, on the opt shape; what follows is the same."""
    step = planned(mode, "tensorrt")["calibrate"].step

    assert ("calibrate_natively", {"x": (2, 4)}) == (step.kind, step.opt)
    assert step.backend.plugins == ("p.so",)


def test_where_it_cannot_calibrate_that_step_is_deferred(planned):
    """For the reason of the target whose TensorRT it would use."""
    steps = planned("explicit", "tensorrt", deferred={"ten": "no GPU"})

    assert ("no GPU", "no GPU", "") == tuple(
        steps[name].deferred for name in ("calibrate", "build_engine(ten)", "build_engine(other)")
    )


def test_files_of_a_target_are_pinned(planned):
    """A plugin and a timing cache count by their digests, not by their paths."""
    steps = planned()

    assert "sha256:t.cache" == steps["build_engine(ten)"].step.timing_cache.digest
    assert ["sha256:p.so"] == [each.digest for each in steps["build_engine(ten)"].step.plugins]


def test_a_timing_cache_left_by_an_earlier_build_changes_no_digest(planned):
    """It saves time, for the target that names none itself."""
    before = planned()["build_engine(other)"]
    after = planned(warm={"other": Path("/store/object"), "ten": Path("/store/object")})

    assert "/store/object" == after["build_engine(other)"].step.warm
    assert before.digest == after["build_engine(other)"].digest
    assert after["build_engine(ten)"].step.warm is None


def test_another_python_brings_its_own_facts(planned):
    """What is installed there is the ingredient, and the path of that Python is none."""
    facts = FACTS | {"tensorrt": "10.3.0"}
    one = planned("explicit", "tensorrt", elsewhere={"ten": facts})

    assert "10.3.0" == one["build_engine(ten)"].ingredients["facts"]["tensorrt"]
    assert "10.3.0" == one["calibrate"].facts["tensorrt"]
    assert "10.16.1.11" == one["build_engine(other)"].ingredients["facts"]["tensorrt"]
