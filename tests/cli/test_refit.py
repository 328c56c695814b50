"""trtbuild refit, as its user meets it."""

from __future__ import annotations

import json

import pytest

from tests.helpers.projects import edit
from tests.verbs.packaging.conftest import make_result
from trtbuild.core.digest import digest_of_file


@pytest.fixture(autouse=True)
def _here(steps_here):
    """Steps run in this process."""


def test_an_engine_of_rtx_is_to_be_built_anew(project, trtbuild):
    """With the reason; a recipe with one target names it."""
    assert 0 == trtbuild("apply", "-q", "recipe.yaml").code
    answer = trtbuild("refit", "recipe.yaml", "--weights", "model.onnx")

    assert 1 == answer.code
    assert "build/small/rtx/model.engine: is not refitted; build it anew:" in answer.out
    assert "  an engine of kind tensorrt_rtx cannot be refitted" in answer.out
    assert 2 == trtbuild("refit", "build/small/rtx/model.engine", "--weights", "model.onnx").code
    answer = trtbuild("refit", "recipe.yaml", "--variant", "int4", "--weights", "model.onnx")
    assert answer.err.startswith("error: recipe.int4.yaml: no such file")


def test_where_nothing_speaks_against_it_the_gpu_is_what_lacks(project, trtbuild):
    """Exit code 4; the drift, the gates and the models are there."""
    rtx = "rtx: {kind: tensorrt_rtx, compute_capabilities: [8.9], workspace: 256MiB}"
    edit(project, rtx, "it: {kind: tensorrt11, refit: all}")
    assert 0 == trtbuild("apply", "-q", "recipe.yaml").code
    folder = project.parent / "build/small"
    (folder / "it").mkdir()
    (folder / "it/model.engine").write_bytes(b"engine")
    digest = digest_of_file(folder / "model.int8.onnx")
    told = {"model_digest": digest, "options": {"refittable": "on"}}
    result = make_result("it", "tensorrt11", "11.4.0", ("9.0",), b"engine")
    (folder / "it/engine.json").write_text(result.model_copy(update=told).model_dump_json())
    same = trtbuild("refit", "recipe.yaml", "--weights", "model.onnx")
    data = (project.parent / "model.onnx").read_bytes()
    (project.parent / "new.onnx").write_bytes(data[::-1])
    wrong = trtbuild("refit", "recipe.yaml", "--weights", "new.onnx")

    assert (0, True) == (same.code, "has these weights already" in same.out)
    assert 3 == wrong.code
    answer = trtbuild("refit", "build/small/it/model.engine", "--recipe", "recipe.yaml",
                      "--weights", scale(project.parent), "--format", "json")  # fmt: skip
    assert 4 == answer.code, answer.err
    assert "cannot be refitted here: tensorrt is not installed" in answer.err
    found = json.loads(answer.out)
    assert (True, "build/small-refit") == (found["passed"], found["directory"])
    assert {1.1} == {round(t["after"] / t["before"], 2) for t in found["drift"]["tensors"]} - {1.0}


def scale(folder):
    """Write the project's model with a first convolution of 1.1 times its weights."""
    import onnx

    model = onnx.load(folder / "model.onnx")
    first = model.graph.initializer[0]
    values = 1.1 * onnx.numpy_helper.to_array(first)
    first.CopyFrom(onnx.numpy_helper.from_array(values.astype("float32"), first.name))
    onnx.save(model, folder / "scaled.onnx")
    return "scaled.onnx"
