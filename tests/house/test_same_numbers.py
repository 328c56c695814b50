"""What a model sees of a picture is one thing, whoever feeds it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from tests.helpers.models import model_of, outputs_of
from trtbuild.fixes.apply import apply_fixes
from trtbuild.recipe.load import load_recipe
from trtbuild.verbs.running.feeding import choose_feeding
from trtbuild.verbs.running.run import _find_inner_view

LETTERBOX = {"resize": [24, 24], "fit": "letterbox", "mean": [0.4, 0.5, 0.6], "std": [0.2]}
SAME = "g (float[N,3,H,W] input) => (float[N,3,H,W] y) { y = Identity(input) }"


@pytest.fixture
def load(tmp_path):
    """Load a recipe of one picture, 40 × 30 of noise."""
    noise = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    (tmp_path / "photos").mkdir()
    Image.fromarray(noise).save(tmp_path / "photos/a.png")

    def run(*fixes, preprocess=LETTERBOX):
        path = tmp_path / "r.yaml"
        source = {"kind": "images", "path": "photos", "preprocess": preprocess}
        path.write_text(
            json.dumps(
                {
                    "version": 1,
                    "name": "r",
                    "model": {"kind": "onnx", "path": "m.onnx"},
                    "fixes": fixes,
                    "data": {"eval": source},
                    "targets": {"it": {"kind": "onnxruntime"}},
                    "compare": {"data": "eval"},
                }
            )
        )
        return load_recipe(path)

    return run


def seen(loaded, folder):
    """Return what steps read of the data, and what `run` feeds of the same file."""
    source = loaded.recipe.data["eval"]
    (sample,) = source.samples(source.find_files(folder))
    (fed,) = choose_feeding(loaded, folder / "photos/a.png", "").samples()
    return sample.arrays["input"], fed.sample.arrays["input"]


@pytest.mark.parametrize("picture", [None, [30, 40]])
def test_steps_run_and_the_model_itself_prepare_alike(picture, load, tmp_path):
    """Calibration and comparison read as steps do; with the preprocessing in the graph, too."""
    step, typed = seen(load(), tmp_path)
    embed = {"kind": "embed_preprocess", "data": "eval"} | ({"picture": picture} if picture else {})
    moved = load(embed)
    raw, typed_raw = seen(moved, tmp_path)
    fixed, _ = apply_fixes(model_of(SAME), moved.recipe.fixes)

    np.testing.assert_array_equal(step, typed)
    np.testing.assert_array_equal(raw, typed_raw)
    assert np.uint8 == raw.dtype
    np.testing.assert_array_equal(step, outputs_of(fixed, {"input": raw[None]})["y"][0])


def test_boxes_come_back_from_a_window_within_the_model(load):
    """Where the letterbox is in the graph, it is the same one."""
    outside = load().recipe.data["eval"].preprocess.view(40, 30)
    embed = {"kind": "embed_preprocess", "data": "eval", "picture": [30, 40]}

    assert outside == _find_inner_view(load(embed).recipe.fixes, 40, 30)
    assert _find_inner_view(load().recipe.fixes, 40, 30) is None
