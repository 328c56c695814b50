"""fix_graph: the fixed model, what each fix did, and the model's signature."""

from __future__ import annotations

import json

import numpy as np
import onnx
import pytest

from tests.helpers.models import model_of
from trtbuild.core.errors import StepInputError
from trtbuild.core.records import FixAccounts
from trtbuild.core.values import Signature
from trtbuild.steps.base import Context
from trtbuild.steps.fix_graph import FixGraph

TEXT = """g (float[1, 3] x) => (float[1, 3] y)
    { i = Identity(x)  k = Neg(w)  a = Add(i, k)  y = Identity(a) }"""
WEIGHT = {"w": np.array([1, 2, 3], np.float32)}
FIXES = [
    {"kind": "fold_constants"},
    {"kind": "drop_identity"},
    {"kind": "set_dimension", "tensor": "x", "axis": 0, "size": "batch"},
]


def step_of(*fixes):
    model = {"step": "import_model", "output": "model"}
    return FixGraph.model_validate_json(json.dumps({"model": model, "fixes": fixes}))


@pytest.fixture
def context(tmp_path):
    path, out = tmp_path / "in.onnx", tmp_path / "out"
    path.write_bytes(model_of(TEXT, WEIGHT).SerializeToString())
    out.mkdir()
    return Context(inputs={"import_model/model": path}, out=out)


def test_three_files_come_out(context):
    """The model, the accounts, the signature; they agree with one another."""
    step_of(*FIXES).run(context)
    model = onnx.load(context.out / "model.onnx")
    accounts = FixAccounts.model_validate_json((context.out / "fixes.json").read_bytes())
    signature = Signature.model_validate_json((context.out / "signature.json").read_bytes())

    assert ["Add", "Identity"] == [node.op_type for node in model.graph.node]
    assert [("k",), ("Identity_i",), ("x: axis 0: 1 → batch",)] == [
        account.changed for account in accounts.fixes
    ]
    assert ("its output is a graph output",) == tuple(
        left.reason for left in accounts.fixes[1].left
    )
    assert ("batch", 3) == signature.inputs[0].shape == signature.outputs[0].shape
    assert ("x", "a", "y") == signature.tensors


def test_the_same_bytes_every_time(context, tmp_path):
    """All three files."""
    step_of(*FIXES).run(context)
    again = tmp_path / "again"
    again.mkdir()
    step_of(*FIXES).run(Context(inputs=context.inputs, out=again))

    assert {"model.onnx", "fixes.json", "signature.json"} == {p.name for p in context.out.iterdir()}
    for path in sorted(context.out.iterdir()):
        assert path.read_bytes() == (again / path.name).read_bytes()


def test_without_fixes_the_signature_is_there_all_the_same(context):
    """A recipe may have none."""
    step_of().run(context)

    assert {"model.onnx", "fixes.json", "signature.json"} == {
        path.name for path in context.out.iterdir()
    }


def test_remarks_become_notes(context):
    """Who asked for a dimension by name is told when it is so already; others are left in peace."""
    step_of(*FIXES, {**FIXES[2], "size": "batch"}).run(context)

    assert ["set_dimension: axis 0 of `x` is batch already"] == context.events.notes


def test_a_fix_that_cannot_do_what_it_was_asked_stops_the_step(context):
    """One error; nothing is written."""
    with pytest.raises(StepInputError, match="no input or output `images`"):
        step_of({**FIXES[2], "tensor": "images"}).run(context)
    assert [] == list(context.out.iterdir())


def test_facts_are_those_that_can_change_the_result():
    """ONNX Runtime matters only where constants are folded."""
    assert ("onnx", "onnx-graphsurgeon") == step_of(*FIXES[1:]).fact_names()
    assert ("onnx", "onnx-graphsurgeon", "onnxruntime") == step_of(*FIXES).fact_names()
