"""What two engines take of one GPU: its size, and what it says of itself, are made up."""

from __future__ import annotations

import json

import pytest

from tests.verbs.packaging.conftest import make_result
from trtbuild.core.engine_memory import EngineMemory
from trtbuild.core.errors import NoGpu
from trtbuild.pipeline.load import load_pipeline
from trtbuild.pipeline.memory_plan import demand_room, measure_buffers, plan_memory
from trtbuild.pipeline.run import run_pipeline
from trtbuild.runtime.cuda import Cuda

H100 = {"gpu": "NVIDIA H100 (9.0)", "tensorrt": "11.4.0"}
MIB = 1 << 20
SHAPE = ["n", 3, 4, 4]
IO = {
    "inputs": ({"name": "x", "dtype": "float32", "shape": SHAPE},),
    "outputs": ({"name": "y", "dtype": "float16", "shape": ["n", 3]},),
    "profiles": (
        {"x": {"min": [1, 3, 4, 4], "opt": [1, 3, 4, 4], "max": [2, 3, 4, 4]}},
        {"x": {"min": [1, 3, 4, 4], "opt": [4, 3, 4, 4], "max": [8, 3, 4, 4]}},
    ),
}
BUFFERS = 8 * 3 * 4 * 4 * 4 + 8 * 3 * 2
"""The larger profile's inputs in 4 bytes, and outputs in 2."""


@pytest.fixture
def pipeline(project, monkeypatch):
    """Two stages of a recipe with an engine that takes so much; the GPU has so much."""

    def made(weights, *contexts, free=100 * MIB, **stage):
        recipe = json.loads((project / "mean.yaml").read_text())
        recipe["targets"] = {"t": {"kind": "tensorrt11"}}
        (project / "mean.yaml").write_text(json.dumps(recipe))
        (project / "build/mean/t").mkdir(exist_ok=True)
        (project / "build/mean/t/model.engine").write_bytes(b"engine")
        memory = EngineMemory(weights_bytes=weights, context_bytes=contexts) if contexts else None
        told = {**IO, "memory": memory, "versions": H100}
        result = make_result("t", "tensorrt11", "11.4.0", ("9.0",), b"engine")
        result = result.model_copy(update=told)
        (project / "build/mean/t/engine.json").write_text(result.model_dump_json())
        stages = {name: {"recipe": "mean.yaml", **stage} for name in ("find", "which")}
        stages["cut"] = {"python": "code.py:halve"}
        file = {"version": 1, "source": {"kind": "folder", "path": "."}, "stages": stages}
        (project / "p.yaml").write_text(json.dumps(file))
        monkeypatch.setattr(Cuda, "__init__", lambda _: None)
        monkeypatch.setattr(Cuda, "count_free_bytes", lambda _: free)
        return load_pipeline(project / "p.yaml"), project / "build"

    return made


def test_what_all_stages_take_is_summed_up(pipeline):
    """Weights, layers by the profile that needs most, inputs and outputs; a function has none."""
    plan = plan_memory(*pipeline(10 * MIB, 5 * MIB, 20 * MIB), H100)

    assert (H100["gpu"], 100 * MIB) == (plan.gpu, plan.free_bytes)
    assert ["find", "which"] == [each.stage for each in plan.stages]
    assert 2 * (30 * MIB + BUFFERS) == plan.total_bytes
    told = "find 30.0 MiB (weights 10.0 MiB, layers 20.0 MiB, inputs and outputs 1.5 KiB)"
    assert told == plan.stages[0].describe()
    demand_room(plan)


def test_what_does_not_fit_is_refused_with_the_numbers(pipeline, monkeypatch):
    """Before anything is loaded."""
    loaded, build = pipeline(30 * MIB, 25 * MIB)
    monkeypatch.setattr("trtbuild.machine.facts.InstalledPackages", lambda: H100)
    heard = []
    with pytest.raises(NoGpu) as found:
        run_pipeline(loaded, build, frames=[], planned=heard.append)

    said = "the stages take 110.0 MiB of NVIDIA H100 (9.0), and 100.0 MiB are free: find 55.0 MiB"
    assert found.value.message.startswith(said)
    assert "device: cpu" in found.value.hint
    assert 100 * MIB < heard[0].total_bytes


def test_what_is_not_known_before_is_said(pipeline):
    """An engine without a word of its memory; what the CPU computes takes none."""
    plan = plan_memory(*pipeline(1), H100)

    assert 0 == plan.total_bytes
    assert "find: model.engine was built without a GPU, or by an older trtbuild" in plan.unknown
    foreign = plan_memory(*pipeline(1, 1), {**H100, "gpu": "NVIDIA L4 (8.9)"})
    assert "find: its model runs in ONNX Runtime, which takes memory as it goes" in foreign.unknown
    cpu = plan_memory(*pipeline(1, 1, device="cpu"), H100)
    assert ((), ()) == (cpu.stages, cpu.unknown)
    assert plan_memory(*pipeline(1, 1), {"tensorrt": "11.4.0"}) is None


def test_sizes_that_nothing_tells_count_as_one():
    """An output may have dimensions of its own; a truth value is a byte."""
    told = {**IO, "outputs": ({"name": "y", "dtype": "bool", "shape": ["m", 3]},)}
    result = make_result("t", "tensorrt11", "11.4.0", ("9.0",), b"").model_copy(update=told)

    assert 8 * 3 * 4 * 4 * 4 + 3 == measure_buffers(result)
