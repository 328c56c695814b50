"""A whole recipe on a real GPU: calibrated, run and compared by ONNX Runtime there."""

from __future__ import annotations

import json

import pytest

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
