"""Layers and what was asked of them, joined."""

from __future__ import annotations

from trtbuild.timing.layers.asked import AskedLayers
from trtbuild.timing.layers.join import MOST, ProfiledLayer, join_layers

ASKED = AskedLayers({"conv": "int8", "head": "float"}, frozenset({"conv", "pool", "resize"}))


def layer(name, delivered, ms, *nodes):
    return ProfiledLayer(name, "Op", nodes or (name,), delivered, (ms, ms, 100 * ms))


def test_a_slow_float_island_shows():
    """It is named with its share, and whether INT8 was asked; small ones are counted."""
    layers = [
        layer("conv", "int8", 3.0),
        layer("resize", "fp32", 5.0),
        layer("pool", "fp16", 0.2),
        layer("head", "fp32", 1.0),
        layer("q", "conversion", 0.8),
    ]
    found = join_layers("int8/x", {"x": (1,)}, layers, ASKED)

    assert ["resize", "conv", "head", "q", "pool"] == [each.name for each in found.layers]
    assert [0.5, 0.3, 0.1] == [round(each.share, 6) for each in found.layers[:3]]
    assert (3, 10.0) == (found.calls, found.total_ms)
    assert {"conv": "int8", "head": "float", "resize": ""}.items() <= {
        each.name: each.asked for each in found.layers
    }.items()
    said = "`resize` (Op) computes in fp32 between INT8 tensors and takes 50 % of the time"
    assert (
        f"{said} (INT8 was not asked)",
        "float layers between INT8 tensors, 2 in all, take 52 % of the time",
        "turning types and layouts into others takes 8 % of the time",
    ) == found.remarks


def test_several_nodes_may_be_one_layer():
    """INT8 is asked of it where it is of one of them."""
    (one,) = join_layers("v", {}, [layer("a", "fp32", 1.0, "conv", "head")], ASKED).layers

    assert ("int8", True) == (one.asked, one.between)


def test_as_many_as_are_read_are_kept():
    """How many there are beyond is said; shares are of all."""
    found = join_layers("v", {}, [layer(str(n), "", 1.0) for n in range(100)], AskedLayers())

    assert (MOST, 50, 0.01) == (len(found.layers), found.left_out, found.layers[0].share)
    assert () == found.remarks
