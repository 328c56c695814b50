"""Ranges on a network's tensors, or as a cache: all of them, or told which not."""

from __future__ import annotations

import pytest

from tests.helpers.networks import TRT, Layer, Network, tensor, tensors
from tests.helpers.quant import ranges_of
from trtbuild.backends.base import BuildResult, ImplicitQuantization
from trtbuild.backends.tensorrt.implicit import NetworkRanges
from trtbuild.core.errors import StepInputError

BUILT = BuildResult(inputs=(), outputs=(), options={"tf32": "on"}, layers=(), notes=("slow",))


@pytest.fixture
def network():
    """Conv and Relu, then something that makes an integer; `x`, `a` and `y` hold floats."""
    x, a, y = tensors("x", "a", "y")
    return Network(
        [x],
        [
            Layer("CONVOLUTION", [x], [a], node="conv"),
            Layer("ACTIVATION", [a], [y], node="relu"),
            Layer("TOPK", [y], [tensor("best", "INT32")], node="top"),
        ],
    )


def given(limits, *, cache=None, **more):
    return NetworkRanges(ImplicitQuantization(ranges_of(**limits), **more), cache=cache)


def ranges(network):
    found = [network.get_input(0), *(layer.get_output(0) for layer in network.layers)]
    return {each.name: each.dynamic_range for each in found if hasattr(each, "dynamic_range")}


def test_every_float_tensor_gets_its_range(network):
    """Symmetric; an integer has none, and what the network lacks is left out."""
    made = given({"x": 1.0, "a": 2.0, "y": 3.0, "elsewhere": 4.0})

    made.edit(TRT, network)

    assert {"x": (-1.0, 1.0), "a": (-2.0, 2.0), "y": (-3.0, 3.0)} == ranges(network)
    assert {"ranges": "3 tensors", "tf32": "on"} == made.note_unused(BUILT).options
    assert ("slow",) == made.note_unused(BUILT).notes


def test_tensors_without_a_range_are_told(network):
    """The layers around them stay float."""
    made = given({"x": 1.0})
    made.edit(TRT, network)

    (_, note) = made.note_unused(BUILT).notes
    assert "2 of 3 tensors have no range, so the layers around them stay float: a, y" == note


def test_a_cache_has_the_scales_and_the_tensors_nothing(network, tmp_path):
    """TensorRT takes one or the other."""

    def encode(version, scales):
        return f"{version} {scales}".encode()

    made = given({"x": 127.0, "a": 254.0}, cache=tmp_path / "c", encode=encode)
    made.edit(TRT, network)

    assert "10.16.1.11 {'x': 1.0, 'a': 2.0}" == (tmp_path / "c").read_text()
    assert {} == ranges(network)


def test_a_cache_that_tensorrt_does_not_take_is_an_error(network, tmp_path):
    """It would ask for data, and quantize by what it is given: nothing."""
    made = given({"x": 1.0}, cache=tmp_path / "c", encode=lambda *_: b"")
    made.edit(TRT, network)
    assert [] == list(made._no_data())

    with pytest.raises(StepInputError, match="did not take the calibration cache") as caught:
        made.note_unused(BUILT)
    assert "`ranges_as: tensors`" in caught.value.hint


def test_nodes_that_must_stay_float_are_held_back(network):
    """By the ONNX node's name; the others are the builder's."""
    given({"x": 1.0}, floats=("relu",)).edit(TRT, network)

    assert ["float"] == [each.precision for each in network.layers if hasattr(each, "precision")]
    assert "float" == network.get_layer(1).precision


@pytest.mark.parametrize(
    ("says", "limits", "more"),
    [
        ("no tensor that has a range is in the network", {"z": 1.0}, {}),
        ("the range for `z` would have no effect", {"x": 1.0, "z": 1.0}, {"manual": ("z",)}),
        ("`gone` was to stay float", {"x": 1.0}, {"floats": ("relu", "gone")}),
    ],
)
def test_what_would_have_no_effect_is_an_error(network, says, limits, more):
    """Somebody asked for it."""
    with pytest.raises(StepInputError, match=says) as caught:
        given(limits, **more).edit(TRT, network)
    assert caught.value.hint


def test_pairs_and_ranges_exclude_each_other(network):
    """TensorRT would take the pairs, and no range."""
    network.layers.append(Layer("QUANTIZE", [], tensors("q"), name="x_quantize"))

    with pytest.raises(StepInputError, match=r"has Q/DQ nodes \(`x_quantize`\)"):
        given({"x": 1.0}).edit(TRT, network)
