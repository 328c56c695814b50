"""Names in a graph."""

from __future__ import annotations

import pytest

from tests.helpers.models import graph_of
from trtbuild.core.errors import StepInputError
from trtbuild.fixes.tensors import Names, find_tensors, refuse_absent, require_opset

TEXT = """g (float[N] x, bool c) => (float[N] y) {
    y = If (c) <then_branch = t () => (float[N] p) { [deep] p = Relu(x) },
                else_branch = e () => (float[N] q) { q = Neg(x) }> }"""


def test_tensors_inside_branches_are_found():
    """By name, each once."""
    assert {"x", "c", "y", "p", "q"} == find_tensors(graph_of(TEXT)).keys()


def test_new_names_are_nobody_elses():
    """Neither a tensor's nor a node's, nor one handed out before."""
    names = Names(graph_of(TEXT))

    assert ["p_1", "deep_1", "new", "new_1"] == [
        names.fresh(each) for each in ("p", "deep", "new", "new")
    ]


def test_an_absent_name_comes_with_the_nearest():
    """Or with all, where none is near."""
    near = refuse_absent("rename", "imagee", ["image", "logits"], "tensor")
    far = refuse_absent("rename", "qqq", ["image", "logits"], "tensor")

    assert ("nearest: image", "tensors: image, logits") == (near.hint, far.hint)


def test_an_opset_that_lacks_what_is_written_is_refused():
    """With the fix that raises it."""
    with pytest.raises(
        StepInputError, match="needs opset 18, and the model is written in 17"
    ) as it:
        require_opset(graph_of(TEXT), 18, "add_nms")
    assert "put `{kind: set_opset, opset: 18}` in front of it" == it.value.hint
