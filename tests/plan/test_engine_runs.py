"""Which engines are run over the data, and what of a plan that leaves alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from pydantic import TypeAdapter

from tests.helpers.models import model_of
from trtbuild.backends import Target
from trtbuild.plan.compile import CompileContext, compile_recipe
from trtbuild.plan.engine_runs import explain_no_run
from trtbuild.recipe.load import check_source
from trtbuild.recipe.source import parse_recipe_text
from trtbuild.steps.base import Pinned

RECIPE = """\
version: 1
name: tiny
model: {kind: onnx, path: tiny.onnx}
data: {eval: {kind: arrays, path: eval.npz}}
quantization: {ranges: {x: 1.0}}
targets:
  rtx: {kind: tensorrt_rtx, compute_capabilities: [8.9]}
  reference: {kind: onnxruntime}
compare: {data: eval, metrics: [cosine], gates: [{metric: cosine, at_least: 0.9}]}
"""
L4 = {"gpu": "NVIDIA L4 (8.9)", "tensorrt_rtx_cu13_libs": "1.7"}


def plan(tmp_path, **more):
    """Compile the recipe; nothing is read but the text."""
    model = model_of("g (float[1] x) => (float[1] y) { y = Relu(x) }")
    (tmp_path / "tiny.onnx").write_bytes(model.SerializeToString())
    np.savez(tmp_path / "eval.npz", x=np.zeros((2, 1), np.float32))
    recipe = check_source(Path("tiny.yaml"), parse_recipe_text("tiny.yaml", RECIPE.encode())).recipe
    here = CompileContext(
        base=tmp_path,
        pin=lambda path: Pinned(path=str(path), digest="sha256:aa"),
        facts={"numpy": "2.0", "onnxruntime": "1.0"},
        **more,
    )
    return compile_recipe(recipe, here)


def test_an_engine_that_can_run_is_run_and_compared(tmp_path):
    """On the GPU whose facts they are, by the recipe's metrics and gates."""
    steps = {each.name: each for each in plan(tmp_path, runners={"rtx": L4}).steps}

    run, compared = steps["infer_engine(rtx)"], steps["compare_engine(rtx)"]
    assert ("build_engine(rtx)", "capture_data(eval)") == run.after
    assert ("NVIDIA L4 (8.9)", "1.7") == (run.facts["gpu"], run.facts["tensorrt_rtx_cu13_libs"])
    assert "8.9" == run.step.needs().gpu.capability
    read = {"fix_graph", "infer(reference)", "infer_engine(rtx)", "capture_data(eval)"}
    assert read == set(compared.after)
    assert (("cosine",), 0.9) == (compared.step.metrics, compared.step.gates[0].at_least)


def test_the_other_steps_do_not_know_of_it(tmp_path):
    """Their digests are the same with a GPU and without: nothing is made twice for it."""
    without = {each.name: each.digest for each in plan(tmp_path).steps}
    having = {each.name: each.digest for each in plan(tmp_path, runners={"rtx": L4}).steps}

    assert {"infer_engine(rtx)", "compare_engine(rtx)"} == having.keys() - without.keys()
    assert without.items() <= having.items()


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ({"kind": "tensorrt_rtx"}, ""),
        ({"kind": "tensorrt10", "io_types": {"x": "half"}}, ""),
        ({"kind": "tensorrt11", "io_formats": {"x": ["linear"]}}, ""),
        ({"kind": "tensorrt11", "refit": "all", "strip_plan": True}, "stripped"),
        (
            {"kind": "tensorrt10", "version_compatible": True, "exclude_lean_runtime": True},
            "lean runtime",
        ),
        ({"kind": "tensorrt11", "io_formats": {"x": ["linear", "chw32"]}}, "`x` may lie"),
        ({"kind": "tensorrt10", "io_types": {"x": "int8"}}, "`x` is int8"),
    ],
)
def test_what_cannot_be_fed_is_not_run(target, told):
    """An engine without its weights gives numbers too."""
    backend = TypeAdapter(Target).validate_json(json.dumps(target))

    assert told in explain_no_run(backend)
    assert bool(told) == bool(explain_no_run(backend))
