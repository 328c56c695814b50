"""rename: tensors by other names, everywhere."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from tests.helpers.models import graph_of
from trtbuild.core.errors import StepInputError
from trtbuild.core.values import TensorSpec
from trtbuild.fixes.rename import Rename

TEXT = """g (float[N] x, bool c) => (float[N] y) { a = Relu(x)
    y = If (c) <then_branch = t () => (float[N] p) { p = Relu(a) },
                else_branch = e () => (float[N] q) { q = Neg(a) }> }"""


def rename(**names):
    return Rename(kind="rename", names=names)


def test_ends_and_tensors_inside_are_renamed():
    """Readers inside branches follow."""
    graph = graph_of(TEXT)
    log = rename(x="image", y="result", a="hidden").apply(graph)
    branch = graph.nodes[1].attrs["then_branch"]

    assert (["image", "c"], ["result"]) == (
        [each.name for each in graph.inputs],
        [each.name for each in graph.outputs],
    )
    assert "hidden" == branch.nodes[0].inputs[0].name
    assert "x: → image" == log.changes[0]


def test_twice_is_remarked():
    """Nothing is left to rename."""
    graph = graph_of(TEXT)
    rename(x="image").apply(graph)
    log = rename(x="image").apply(graph)

    assert ([], ["rename: there is no `x`, and a `image` already"]) == (log.changes, log.remarks)


def test_an_absent_tensor_is_refused_with_the_nearest():
    """A name that is nearly right is what is meant."""
    with pytest.raises(StepInputError, match="no tensor `images`") as caught:
        rename(images="x").apply(graph_of(TEXT.replace(" x,", " image,").replace("(x)", "(image)")))
    assert "nearest: image" == caught.value.hint


def test_a_name_that_is_taken_is_refused():
    """Two tensors of one name are one tensor."""
    with pytest.raises(StepInputError, match="`x` cannot be called `a`"):
        rename(x="a").apply(graph_of(TEXT))


@pytest.mark.parametrize("names", [{"a": "b", "b": "c"}, {"a": "c", "b": "c"}, {}])
def test_what_could_not_be_done_twice_is_refused(names):
    """With the recipe."""
    with pytest.raises(ValidationError):
        Rename(kind="rename", names=names)


def test_the_plan_foresees_the_names_of_inputs():
    """So that data and profiles are held against the new ones."""
    spec = TensorSpec(name="x", dtype="float32", shape=(1,))

    assert ["image"] == [each.name for each in rename(x="image").foresee((spec,))]
