"""Files run through a recipe, one by one."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from tests.helpers.models import model_of
from tests.helpers.projects import edit
from trtbuild.core.errors import MissingFile, UsageError
from trtbuild.recipe.load import load_recipe
from trtbuild.run.inline import Inline
from trtbuild.verbs.running.run import run_arrays, run_samples
from trtbuild.verbs.running.runners import name_side

MEAN = "net (float[n,3,4,4] x) => (float[n,3,1,1] y) { y = GlobalAveragePool(x) }"
PICTURES = {"kind": "images", "path": "none", "input": "x", "preprocess": {}}


@pytest.fixture
def built(tmp_path):
    """A recipe whose model answers with the mean of each colour; a red and a blue picture."""
    recipe = {
        "version": 1,
        "name": "mean",
        "model": {"kind": "onnx", "path": "m.onnx"},
        "data": {"photos": PICTURES},
        "targets": {"it": {"kind": "onnxruntime"}},
        "compare": {"data": "photos", "metrics": ["top1_agreement"]},
    }
    (tmp_path / "r.yaml").write_text(json.dumps(recipe))
    folder = tmp_path / "build/mean"
    folder.mkdir(parents=True)
    (folder / "model.fp32.onnx").write_bytes(model_of(MEAN).SerializeToString())
    (tmp_path / "photos").mkdir()
    for name, channel in (("red", 0), ("blue", 2)):
        pixels = np.zeros((4, 4, 3), np.uint8)
        pixels[..., channel] = 255
        Image.fromarray(pixels).save(tmp_path / f"photos/{name}.png")

    def run(path="photos", recipe="r.yaml", **options):
        return run_samples(
            tmp_path / recipe,
            tmp_path / path,
            Inline(),
            **{
                "build_dir": tmp_path / "build",
                "target": "",
                "on": "any",
                "plugins": (),
                "doubt": lambda *_: "",
                "sides": (),
                "data": "",
                "names": (),
                "top": 1,
                **options,
            },
        )

    return run


def test_each_sample_is_answered_as_the_recipe_reads_it(built):
    """In the order of the names, by what compares; the picture itself is beside the answer."""
    runs = built(names=("red", "green", "blue"))
    found = [(fed.sample.name, answers[""].classes) for fed, answers in runs.answers]

    assert [("blue.png", "blue"), ("red.png", "red")] == [
        (name, best.name) for name, (best,) in found
    ]


def test_sides_run_the_models_of_a_recipe(built):
    """By their names; one that was not built is told."""
    (_, answers), *_ = built(sides=("fp32",)).answers

    assert ["fp32"] == list(answers)
    with pytest.raises(MissingFile, match="there is no such model"):
        built(sides=("half",))
    with pytest.raises(UsageError, match="quantizes nothing"):
        built(sides=("quantized",))


@pytest.mark.parametrize(("side", "name"), [("quantized", "fp8"), ("fp8", "fp8"), ("int8", "")])
def test_the_quantized_model_goes_by_its_type(side, name, tiny):
    """Whatever that is; another type is another recipe's."""
    edit(tiny, "{ranges:", "{type: fp8, ranges:")
    recipe = load_recipe(tiny)
    if name:
        assert name == name_side(recipe, side)
    else:
        with pytest.raises(UsageError, match="quantizes to FP8"):
            name_side(recipe, side)


def test_an_engine_alone_says_nothing_of_pictures(built, tmp_path):
    """Only a recipe has the preprocessing."""
    with pytest.raises(UsageError, match="is no recipe"):
        built(recipe="build/mean/model.fp32.onnx")


def test_a_fixed_batch_takes_arrays_alone(built, tmp_path):
    """Samples are fed one by one."""
    fixed = MEAN.replace("n,", "4,")
    (tmp_path / "build/mean/model.fp32.onnx").write_bytes(model_of(fixed).SerializeToString())
    with pytest.raises(UsageError, match="takes 4 samples at once"):
        list(built().answers)


def test_arrays_run_on_one_side(built, tmp_path):
    """As on any."""
    np.savez(tmp_path / "x.npz", x=np.ones((2, 3, 4, 4), np.float32))
    ran = run_arrays(
        tmp_path / "r.yaml",
        tmp_path / "x.npz",
        Inline(),
        build_dir=tmp_path / "build",
        side="fp32",
    )

    assert (2, 3, 1, 1) == ran.outputs["y"].shape


def test_labels_in_a_file_of_arrays_are_left_out(built, tmp_path):
    """Those that the recipe's data calls so; it is said."""
    recipe = json.loads((tmp_path / "r.yaml").read_text())
    recipe["data"]["other"] = {"kind": "arrays", "path": "x.npz", "labels": "y"}
    (tmp_path / "r.yaml").write_text(json.dumps(recipe))
    np.savez(tmp_path / "x.npz", x=np.ones((2, 3, 4, 4), np.float32), y=[0, 1])
    ran = run_arrays(
        tmp_path / "r.yaml",
        tmp_path / "x.npz",
        Inline(),
        build_dir=tmp_path / "build",
        side="fp32",
    )

    assert "; `y` left out: labels, by the recipe's data" in ran.told
