"""A whole recipe on a real GPU: calibrated, run and compared by ONNX Runtime there."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from tests.helpers.projects import edit, small_project
from trtbuild import api
from trtbuild.core.needs import INFERENCE_DEVICE
from trtbuild.machine.facts import InstalledPackages

pytestmark = pytest.mark.gpu


@pytest.fixture
def recipe(tmp_path, monkeypatch):
    """A small project and a store; skips, with the reason, where no GPU computes."""
    found = InstalledPackages(inference="auto")
    monkeypatch.setenv("TRTBUILD_STORE", str(tmp_path / "store"))
    if INFERENCE_DEVICE not in found:
        pytest.skip(f"ONNX Runtime computes on no GPU here: {found.doubts or 'no onnxruntime-gpu'}")
    made = small_project(tmp_path / "project")
    edit(made, "tensorrt_rtx, compute_capabilities: [8.9], workspace: 256MiB", "onnxruntime")
    return made


@pytest.mark.parametrize("kind", ["minmax", "entropy2", "auto"])
def test_a_recipe_is_built_on_the_gpu_and_then_known(recipe, tmp_path, kind):
    """In processes of their own; a second time nothing runs, and on the CPU it would."""
    edit(recipe, "kind: minmax", f"kind: {kind}")
    build = tmp_path / "build"
    first = api.apply(recipe, build_dir=build, device="cuda")
    second = api.apply(recipe, build_dir=build)
    on_cpu = api.plan(recipe, device="cpu")
    found = json.loads((build / "small/comparison.json").read_text())

    assert "CUDAExecutionProvider" in found["runner"]
    assert "ran" in {each.status for each in first.record.outcomes}
    assert {"reused"} == {each.status for each in second.record.outcomes}
    assert "run" in {each.verdict for each in on_cpu.decisions}


def test_its_ranges_are_those_of_the_cpu_but_for_roundings(recipe, tmp_path):
    """Of a model whose sums are rounded otherwise."""
    tables = []
    for device in ("cuda", "cpu"):
        api.apply(recipe, build_dir=tmp_path / device, device=device)
        table = json.loads((tmp_path / device / "small/ranges.json").read_text())
        tables.append(table["tensors"])

    assert tables[0].keys() == tables[1].keys()
    for name, range_ in tables[0].items():
        assert range_["high"] == pytest.approx(tables[1][name]["high"], rel=1e-4)


def test_outputs_of_samples_that_share_runs_are_those_of_each_alone(recipe, tmp_path):
    """But for roundings; both of float and of INT8, and of single layers."""
    found = []
    for batch in (None, 1):
        build = tmp_path / f"batch-{batch}"
        api.apply(recipe, build_dir=build, device="cuda", batch=batch)
        comparison = json.loads((build / "small/comparison.json").read_text())
        found.append({each["metric"]: each["value"] for each in comparison["measures"]})
        measured = api.sensitivity(recipe, build_dir=build, device="cuda")
        assert measured is not None

    assert found[0].keys() == found[1].keys()
    for metric, value in found[0].items():
        assert value == pytest.approx(found[1][metric], rel=0.05)


def test_pictures_are_made_ready_there(recipe, tmp_path):
    """What is calibrated on is what the CPU would have made of them."""
    shots = recipe.parent / "shots"
    shots.mkdir()
    rng = np.random.default_rng(4)
    for index in range(40):
        Image.fromarray(rng.integers(0, 256, (20, 30, 3), np.uint8)).save(shots / f"{index}.png")
    how = "{resize: [8, 8], mean: [0.4], std: [0.2]}"
    edit(recipe, "{kind: arrays, path: calib.npz}",
         f"{{kind: images, path: shots, preprocess: {how}}}")  # fmt: skip
    tables = []
    for device in ("cuda", "cpu"):
        api.apply(recipe, build_dir=tmp_path / device, device=device)
        table = json.loads((tmp_path / device / "small/ranges.json").read_text())
        tables.append({name: each["high"] for name, each in table["tensors"].items()})

    assert tables[0]["input"] == tables[1]["input"]
    for name, high in tables[0].items():
        assert high == pytest.approx(tables[1][name], rel=1e-4)
