"""Two models or engines → steps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from tests.helpers.models import model_of
from tests.helpers.plans import FACTS
from trtbuild.core.digest import digest_of_file
from trtbuild.plan.compile import CompileContext, compile_recipe
from trtbuild.plan.pair import PairSide, compile_pair
from trtbuild.recipe.load import check_source
from trtbuild.recipe.source import parse_recipe_text
from trtbuild.steps.base import Pinned

TEXT = """\
version: 1
name: it
model: {kind: onnx, path: b.onnx}
data: {eval: {kind: arrays, path: x.npz}}
targets: {cpu: {kind: onnxruntime}}
compare: {data: eval, reference: {kind: onnx, path: a.onnx}}
"""
L4 = {"gpu": "NVIDIA L4 (8.9)", "tensorrt": "10.16.1.11"}


@pytest.fixture
def here(tmp_path):
    for name in "ab":
        onnx.save(
            model_of("g (float[n] x) => (float[n] y) { y = Relu(x) }"), tmp_path / f"{name}.onnx"
        )
        (tmp_path / f"{name}.engine").write_bytes(name.encode())
    np.savez(tmp_path / "x.npz", x=np.zeros(3, np.float32))
    return CompileContext(
        base=tmp_path,
        pin=lambda path: Pinned(path=str(path), digest=digest_of_file(path)),
        facts=FACTS,
    )


RECIPE = check_source(Path("r"), parse_recipe_text("r", TEXT.encode())).recipe


def plan(here, *files):
    sides = [
        PairSide(here.base / f, f, "tensorrt10", L4)
        if f.endswith("engine")
        else PairSide(here.base / f, f)
        for f in files
    ]
    return {each.name: each for each in compile_pair(RECIPE, *sides, here).steps}


def test_what_a_recipe_would_run_has_the_same_digest(here):
    """So that it is run once: only the comparison itself is another."""
    found = plan(here, "a.onnx", "b.onnx")
    recipe = {each.name: each for each in compile_recipe(RECIPE, here).steps}
    ran = found.keys() - {"compare"}

    assert 7 == len(ran)
    assert {n: recipe[n].digest for n in ran} == {n: found[n].digest for n in ran}


@pytest.mark.parametrize("files", [("a.onnx", "b.engine"), ("a.engine", "b.onnx")])
def test_a_model_beside_an_engine_is_what_the_data_is_held_against(here, files):
    """Under the names that are looked for; the engine is the file, and runs where its GPU is."""
    found = plan(here, *files)
    (engine,) = (each for each in found.values() if each.step.kind == "infer_engine")

    assert {"import_model", "fix_graph"} <= found.keys()
    assert "NVIDIA L4 (8.9)" == engine.facts["gpu"]
    assert digest_of_file(here.base / engine.step.engine.path) == engine.step.engine.digest


def test_two_engines_need_no_model(here):
    """What ran each is known to the comparison; what type their numbers have is not."""
    compare = plan(here, "a.engine", "b.engine")["compare"].step

    assert None is compare.reference_model
    assert ("engine a.engine", "engine b.engine") == (
        compare.reference_name,
        compare.candidate_name,
    )
    assert "infer(reference)" == compare.reference_runner.step
