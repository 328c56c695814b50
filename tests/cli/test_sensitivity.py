"""trtbuild sensitivity, as its user meets it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.helpers.projects import edit


@pytest.fixture(autouse=True)
def _here(steps_here):
    """Steps run in this process."""


def test_each_layer_is_measured_and_the_worst_stands_first(applied_project, trtbuild):
    """A line a layer, what is behind the numbers, and the file; the cost is said before.

    A second run starts nothing, spends nothing, and says the same.
    """
    answer = trtbuild("sensitivity", "recipe.yaml")
    lines = answer.out.splitlines()
    found = json.loads(Path("build/small/sensitivity.json").read_text())
    worst = [layer["alone"][1]["value"] for layer in found["layers"]]
    again = trtbuild("sensitivity", "recipe.yaml")

    assert 0 == answer.code, answer.err
    assert "3 layers × 6 samples, each layer alone and all but it in INT8: 36 passes" in answer.err
    assert "3 layers in INT8, one by one, on 6 of 6 samples" == lines[0]
    assert "ONNX Runtime on the CPU, Q/DQ as they stand, against the FP32 model" == lines[1]
    assert "clipped  bits  top1 alone  top1 all but it" in lines[2]
    assert {"Conv_a", "Conv_c", "Gemm_logits"} == {layer["name"] for layer in found["layers"]}
    assert worst == sorted(worst)
    assert [layer["name"] for layer in found["layers"]] == [line.split()[0] for line in lines[4:7]]
    assert "wrote build/small/sensitivity.json" == lines[-1]
    assert (answer.out, "") == (again.out, again.err)


def test_samples_and_layers_can_be_chosen(applied_project, trtbuild):
    """By number; by name, pattern or operator. JSON has what the file has, and its place."""
    answer = trtbuild(
        "sensitivity", "recipe.yaml", "--samples", "2", "--layers", "op:Conv", "--format", "json"
    )
    found = json.loads(answer.out)

    assert (2, 6) == (found["samples"], found["of"])
    assert ["Conv", "Conv"] == [layer["op"] for layer in found["layers"]]
    assert "build/small/sensitivity.json" == found["file"]


@pytest.mark.parametrize(
    ("before", "after", "more", "code", "said"),
    [
        ("", "", ["--layers", "gone*"], 2, "`gone*` means no layer in INT8"),
        (
            "data: calib\n  calibrator",
            "skip: ['*']\n  data: calib\n  calibrator",
            [],
            3,
            "no layer",
        ),
        ("compare:", "# compare:", [], 2, "there is no section `compare`"),
    ],
)
def test_where_there_is_nothing_to_measure_that_is_said(
    applied_project, trtbuild, before, after, more, code, said
):
    """One error, before anything is spent on layers."""
    if before == "compare:":
        text = applied_project.read_text()
        applied_project.write_text(text[: text.index("compare:")])
    elif before:
        edit(applied_project, before, after)

    answer = trtbuild("sensitivity", "recipe.yaml", *more)

    assert (code, True) == (answer.code, said in answer.err), answer.err
    assert "passes" not in answer.err


def test_a_recipe_may_ask_for_it(project, trtbuild):
    """Then an apply measures layers too, on what the recipe says, and places the file.

    The report shows them, and how the values are spread that they read.
    """
    edit(project, "  metrics:", "  sensitivity: {samples: 1, layers: [Conv_a]}\n  metrics:")
    edit(
        project,
        "  rtx: {kind: tensorrt_rtx, compute_capabilities: [8.9], workspace: 256MiB}",
        "  ort: {kind: onnxruntime}",
    )

    answer = trtbuild("apply", "recipe.yaml")
    found = json.loads(Path("build/small/sensitivity.json").read_text())

    assert 0 == answer.code, answer.err
    assert ["Conv_a"] == [layer["name"] for layer in found["layers"]]
    assert 1 == found["samples"]
    page = Path("build/small/report.html").read_text()
    assert "<h2>What each layer costs</h2>" in page
    (read,) = [use["tensor"] for use in found["layers"][0]["operands"]]
    assert [read] == re.findall("<title>Histogram of (.*?),", page)
