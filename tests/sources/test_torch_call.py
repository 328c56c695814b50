"""Inputs reach a module as `forward` names them."""

# ruff: noqa: ARG005  # signatures are all that counts

from __future__ import annotations

import pytest

from trtbuild.core.errors import StepInputError
from trtbuild.sources.inputs import InputSpec
from trtbuild.sources.sizes import Sizes
from trtbuild.sources.torch_call import ExportRequest, arrange
from trtbuild.sources.torch_module import PreparedModule

torch = pytest.importorskip("torch")


def arranged(forward, *names):
    """Return how a module of this `forward` is called with inputs of these names."""
    module = torch.nn.Module()
    module.forward = forward
    inputs = {name: InputSpec(shape=(1,)) for name in names}
    return arrange(ExportRequest("net.py:net", PreparedModule(module), inputs, ("y",), 20, Sizes()))


@pytest.mark.parametrize(
    ("forward", "names", "order", "keywords"),
    [
        (lambda a, b: a, ("b", "a"), ("a", "b"), ()),
        (lambda a, b, c=None: a, ("b", "a"), ("a", "b"), ()),
        (lambda a, b=None, c=None: a, ("c", "a"), ("a", "c"), ("a", "c")),
        (lambda a=None, b=None: a, ("b",), ("b",), ("b",)),
        (lambda a, *, b: a, ("b", "a"), ("a", "b"), ("a", "b")),
        (lambda a, **more: a, ("b", "a"), ("a", "b"), ("a", "b")),
        (lambda x: x, ("picture",), ("picture",), ()),
        (lambda *given: given, ("picture",), ("picture",), ()),
    ],
)
def test_inputs_go_by_place_where_they_can(forward, names, order, keywords):
    """By name where `forward` has others between; one alone may have any name."""
    call = arranged(forward, *names)

    assert (order, keywords) == (tuple(call.inputs), call.keywords)


@pytest.mark.parametrize(
    ("forward", "names"), [(lambda a, b: a, ("a", "c")), (lambda a, b, c: a, ("a", "b"))]
)
def test_other_inputs_than_forward_has_are_refused(forward, names):
    """Unknown ones, and too few."""
    with pytest.raises(StepInputError, match=r"inputs .* do not match forward\(a, b"):
        arranged(forward, *names)
