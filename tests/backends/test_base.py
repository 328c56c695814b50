"""What every backend is asked, and what an order says where nobody says anything."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from trtbuild.backends import Target
from trtbuild.backends.base import Backend, BuildOrder, Capabilities, ImplicitQuantization
from trtbuild.core.kinds import load_kinds
from trtbuild.core.values import Ranges

KINDS = load_kinds(Target)
ASKED = [
    name for name, each in vars(Backend).items() if inspect.isfunction(each) and name[0] != "_"
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("name", ASKED)
def test_every_kind_takes_what_a_backend_is_asked(kind, name):
    """By the same names, since steps call it so; it asks for no more."""
    asked = list(inspect.signature(getattr(Backend, name)).parameters)

    assert asked == list(inspect.signature(getattr(kind, name)).parameters)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_capabilities_hold_together(kind):
    """Some mode; calibrators of its own only where ranges are taken; its package is named."""
    found = kind.capabilities

    assert isinstance(found, Capabilities)
    assert "explicit" in found.modes
    assert bool(found.native_calibrators) == ("implicit" in found.modes)
    assert found.packages
    assert found.install.startswith("pip install ")


def test_an_order_asks_for_nothing_beside_the_engine():
    """No profiles, plugins, ranges or cache; progress is told to nobody."""
    order = BuildOrder(Path("m.onnx"), Path("m.engine"))

    assert ((), (), ()) == (order.profiles, order.requested, order.plugins)
    assert (None, None, False) == (order.implicit, order.timing_cache, order.timing_cache_pinned)
    assert order.progress(1, 2, "step") is None


def test_ranges_hold_back_nothing_by_themselves():
    """Nobody chose one by hand, and no node must stay float."""
    given = ImplicitQuantization(Ranges(tensors={}))

    assert ((), (), None) == (given.manual, given.floats, given.encode)
