"""Where ONNX Runtime computes, from `--device` to the report; a CPU stands in for the GPU."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.helpers.emulated_cuda import HostWork, compile_kernels, stand_in
from tests.helpers.projects import edit
from trtbuild.calib.count import BINS
from trtbuild.calib.on_gpu.kernels import COUNT, EXTREMES, write_source
from trtbuild.core.needs import INFERENCE_DEVICE
from trtbuild.data.on_gpu.direct_kernel import DIRECT, ONE
from trtbuild.data.on_gpu.kernel import PREPARE
from trtbuild.data.on_gpu.kernel import write_source as write_frames
from trtbuild.machine.facts import InstalledPackages
from trtbuild.model.cuda_work import OutOfGpuMemory

FACT = "NVIDIA L4 (8.9), CUDAExecutionProvider"


@pytest.fixture
def kernels(tmp_path):
    """Those of calibration, as functions; whoever needs more adds them."""
    shared = f"extern __shared__ u32 bins[]; => static u32 bins[{BINS}];"
    return compile_kernels(write_source(), {EXTREMES: 4, COUNT: 4}, tmp_path, shared)


@pytest.fixture
def on_gpu(project, steps_here, monkeypatch, kernels):
    """A machine with a GPU that ONNX Runtime computes on; returns the streams that were made."""

    def find(facts):
        if facts.inference == "cpu":
            raise KeyError(INFERENCE_DEVICE)
        return FACT

    edit(project, "tensorrt_rtx, compute_capabilities: [8.9], workspace: 256MiB", "onnxruntime")
    monkeypatch.setattr(InstalledPackages, "_find_inference_device", find)
    return stand_in(monkeypatch, kernels)


def test_the_gpu_is_an_ingredient_and_stands_in_report_lock_and_reasons(on_gpu, trtbuild):
    """Of what is computed there alone; and with `--device cpu` all is as on any machine."""
    first = trtbuild("apply", "recipe.yaml")
    assert (0, 1) == (first.code, len(on_gpu)), first.err
    assert f"measured by ONNX Runtime on {FACT}" in first.out
    comparison = json.loads(Path("build/small/comparison.json").read_text())
    assert f"ONNX Runtime on {FACT}" == comparison["runner"]
    assert FACT in Path("build/small/report.md").read_text()
    assert 0 == trtbuild("lock", "recipe.yaml").code
    assert f'{INFERENCE_DEVICE} = "{FACT}"' in Path("recipe.lock").read_text()

    again = trtbuild("plan", "recipe.yaml").out
    other = trtbuild("plan", "recipe.yaml", "--device", "cpu").out
    batch = trtbuild("plan", "recipe.yaml", "--batch", "1").out

    assert "run " not in again
    assert f"facts.{INFERENCE_DEVICE}: {FACT} → nothing" in other
    assert "facts.inference_batch: nothing → 1" in batch
    assert ["calibrate", "infer(reference)", "infer(candidate)"] == [
        line.split()[1] for line in batch.splitlines() if line.strip().startswith("run ")
    ]


def test_layers_and_what_is_run_are_computed_there_too(on_gpu, trtbuild):
    """Each says so; what is run here is told which GPU this process is to take."""
    assert 0 == trtbuild("apply", "recipe.yaml").code
    measured = trtbuild("sensitivity", "recipe.yaml", "--samples", "2", "--alone")
    np.savez("x.npz", input=np.zeros((1, 3, 8, 8), np.float32))
    ran = trtbuild("run", "recipe.yaml", "--input", "x.npz", "--int8")
    on_cpu = trtbuild("run", "recipe.yaml", "--input", "x.npz", "--int8", "--device", "cpu")

    assert 0 == measured.code, measured.err
    found = json.loads(Path("build/small/sensitivity.json").read_text())
    assert f"ONNX Runtime on {FACT}" == found["runner"]
    assert f"in ONNX Runtime on {FACT}: not the engine itself" in ran.out
    assert "in ONNX Runtime on the CPU: not the engine itself" in on_cpu.out


def fill_memory(monkeypatch):
    """Let the GPU's memory be full for whatever is computed there."""

    def allocate(work, size_bytes):
        raise OutOfGpuMemory("there is not enough memory left on the GPU")

    monkeypatch.setattr(HostWork, "allocate", allocate)


@pytest.mark.usefixtures("on_gpu")
def test_a_gpu_whose_memory_is_full_is_left_for_the_cpu(trtbuild, monkeypatch):
    """One line says so, and the report; all comes to what the CPU makes."""
    fill_memory(monkeypatch)
    found = trtbuild("apply", "recipe.yaml")
    comparison = json.loads(Path("build/small/comparison.json").read_text())
    told = "the GPU's memory was full in calibrate: ONNX Runtime computes on the CPU"

    assert 0 == found.code, found.err
    assert [f"  again    {told}"] == [line for line in found.err.splitlines() if told in line]
    assert told in Path("build/small/report.md").read_text()
    assert "ONNX Runtime on the CPU" == comparison["runner"]


@pytest.mark.usefixtures("on_gpu")
def test_a_gpu_that_was_asked_for_by_name_is_not_left(trtbuild, monkeypatch):
    """It is an error, with what to do."""
    fill_memory(monkeypatch)
    found = trtbuild("apply", "recipe.yaml", "--device", "cuda")

    assert 3 == found.code
    assert "error: calibrate: there is not enough memory left on the GPU" in found.err
    assert "hint: end what fills it" in found.err
    assert not Path("build/small/comparison.json").exists()


def test_pictures_are_made_ready_on_the_gpu(on_gpu, project, trtbuild, kernels, tmp_path):
    """By calibration and by `run`: what both come to is what the CPU makes of them."""
    (project.parent / "shots").mkdir()
    rng = np.random.default_rng(4)
    for name in "abcd":
        Image.fromarray(rng.integers(0, 256, (20, 30, 3), np.uint8)).save(f"shots/{name}.png")
    how = "{resize: [8, 8], mean: [0.4], std: [0.2]}"
    edit(project, "{kind: arrays, path: calib.npz}",
         f"{{kind: images, path: shots, preprocess: {how}}}")  # fmt: skip
    folder = tmp_path / "frames"
    folder.mkdir()
    shared = "extern __shared__ int between[]; => static int between[1 << 16];"
    counts = {PREPARE: 6, DIRECT: 6, ONE: 18}
    used = []
    made = compile_kernels(write_frames([*counts], 3), counts, folder, shared)
    kernels |= {name: note(used, name, made[name]) for name in counts}
    tables, answers = [], []
    for device in ("auto", "cpu"):
        assert 0 == trtbuild("apply", "recipe.yaml", "--device", device).code
        tables.append(json.loads(Path("build/small/ranges.json").read_text())["tensors"])
        ran = trtbuild("run", "recipe.yaml", "--input", "shots/a.png", "--data", "calib", "--int8",
                       "--format", "json", "--device", device)  # fmt: skip
        assert 0 == ran.code, ran.err
        answers.append(ran.out)
        if device == "auto":
            assert {DIRECT, ONE} >= set(used[:-1])
            assert PREPARE == used[-1]  # `run` resizes, too, as Pillow does
            count = len(used)

    assert count == len(used) > 1
    assert tables[0] == tables[1]
    assert strip(answers[0]) == strip(answers[1])


def note(used, name, kernel):
    """A kernel that notes that it was launched."""

    def run(*given):
        used.append(name)
        kernel(*given)

    return run


def strip(answer):
    """What was answered, whatever ran."""
    return [line for line in answer.splitlines() if "in ONNX Runtime on" not in line]
