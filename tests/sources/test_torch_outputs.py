"""What a module returns has the recipe's names, by key where there are keys."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import NamedTuple

import pytest

from trtbuild.core.errors import StepInputError
from trtbuild.sources.torch_outputs import (
    flatten_outputs,
    list_leaves,
    look_at,
    order_outputs,
    pick_outputs,
)

torch = pytest.importorskip("torch")


class Pair(NamedTuple):
    zeros: torch.Tensor
    ones: torch.Tensor


class Own(OrderedDict):
    pass


def order(returned, *names):
    """Return the recipe's names as the module returns them."""
    x = torch.zeros(2)
    return order_outputs("net.py:net", names, look_at(returned(x, x + 1)))


@pytest.mark.parametrize(
    "returned",
    [
        lambda x, y: {"zeros": x * 0, "ones": y},
        lambda x, y: OrderedDict(zeros=x * 0, ones=y),
        lambda x, y: Pair(x * 0, y),
        lambda x, y: {"zeros": x * 0, "nothing": None, "ones": y},
    ],
)
def test_keys_are_names_in_any_order(returned):
    """A dict, and a named tuple whose fields the recipe names; what is None is no output."""
    assert ("zeros", "ones") == order(returned, "ones", "zeros")


def test_what_is_in_order_is_named_in_order():
    """Tuples, lists, those within others, and a named tuple under names of one's own."""
    assert ("b", "a") == order(lambda x, y: (x * 2, y), "b", "a")
    assert ("a", "b", "c") == order(lambda x, y: [x * 2, (y, y * 2)], "a", "b", "c")
    assert ("b", "a") == order(lambda x, y: Pair(x * 2, y), "b", "a")
    assert ("best", "which") == order(lambda x, y: torch.max(x + y, 0), "best", "which")


@dataclass
class Found:
    boxes: torch.Tensor
    scores: torch.Tensor | None


def test_a_dataclass_is_named_by_its_fields():
    """Or in their order; so is a dict of a class of its own, as transformers returns."""
    assert ("boxes", "scores") == order(Found, "scores", "boxes")
    assert ("a", "b") == order(Found, "a", "b")
    assert ("boxes", "scores") == order(lambda x, y: Own(boxes=x, scores=y), "scores", "boxes")
    assert ("any",) == order(lambda x, _: Found(x, None), "any")
    assert [True, False] == [look_at(each).usual for each in ({"a": 1}, Own(a=1))]


def test_some_are_picked_by_name():
    """Or all, where none is named; from then on the module returns these."""
    module = torch.nn.Module()
    module.forward = lambda x: Found(x, x + 1)
    returned = look_at(Found(1, 2))
    flatten_outputs(module, pick_outputs("net", ("scores",), returned))

    assert (0, 1) == pick_outputs("net", (), returned)
    assert (4,) == module(3)
    with pytest.raises(StepInputError, match="net: it returns `boxes`, `scores`, and no `masks`"):
        pick_outputs("net", ("masks",), returned)


def test_a_single_tensor_has_any_name():
    """Nothing can be mixed up."""
    assert ("logits",) == order(lambda x, y: {"out": x + y}, "logits")


def test_keys_within_others_are_paths():
    """As many as there are tensors."""
    nested = order(lambda x, y: ({"a": (x * 2, y)}, y * 2), "1", "0.a.1", "0.a.0")

    assert ("0.a.0", "0.a.1", "1") == nested


@pytest.mark.parametrize("names", [("a", "b"), ("ones",), ("ones", "zeros", "more")])
def test_other_names_than_the_keys_are_refused(names):
    """With the keys to write."""
    with pytest.raises(StepInputError, match="it returns `zeros`, `ones` by name") as caught:
        order(lambda x, y: {"zeros": x * 0, "ones": y}, *names)
    assert caught.value.hint.endswith("outputs: [zeros, ones]")


def test_a_field_under_another_fields_name_is_refused():
    """A named tuple in an order that is not its own, and not quite its fields."""
    with pytest.raises(StepInputError, match="it returns `zeros`, `ones` by name"):
        order(lambda x, y: Pair(x * 0, y), "ones", "other")


def test_more_or_fewer_than_named_are_refused():
    """Of a tuple."""
    with pytest.raises(StepInputError, match="returns 2 tensors, the recipe names 1: a"):
        order(lambda x, y: (x * 2, y), "a")


def test_what_ran_is_flat_in_the_same_order():
    """Without what is None."""
    assert [1, 2, 3] == list_leaves({"b": 1, "n": None, "a": (2, [3])})
