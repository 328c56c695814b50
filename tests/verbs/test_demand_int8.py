"""INT8 that was asked for and not delivered fails a build."""

from __future__ import annotations

import pytest

from tests.helpers.records import target
from trtbuild.core.errors import StepFailed
from trtbuild.core.records import LayerPrecision
from trtbuild.recipe.schema import Recipe
from trtbuild.verbs.demand_int8 import demand_delivered, find_undelivered

RECIPE = """{"version": 1, "name": "tiny", "model": {"kind": "onnx", "path": "m.onnx"},
    "quantization": {"ranges": {"x": 1.0}, "allow_float": [%s], "mode": "%s"},
    "targets": {"rtx": {"kind": "%s"}}}"""


def layer(name, delivered, cause="", op="Conv", **more):
    return LayerPrecision(
        name=name, op=op, asked="int8", delivered=delivered, cause=cause, by_capability=more
    )


LAYERS = (
    layer("one", "int8"),
    layer("two", "fp32", "a bad axis"),
    layer("three", "fp32", "a bad axis"),
    layer("up", "fp16", "always float", op="ConvTranspose"),
    layer("folded", "unknown", "not in the program"),
)


@pytest.fixture
def demand():
    """Judge an engine that consists of layers."""

    def judge(layers, allowed="", mode="explicit", kind="tensorrt_rtx"):
        recipe = Recipe.model_validate_json(RECIPE % (allowed, mode, kind))
        demand_delivered(recipe, [target(layers)])

    return judge


def test_what_fell_back_is_named_with_its_cause(demand):
    """Layers by cause, the step, and how to allow it; exit code 3."""
    with pytest.raises(StepFailed) as raised:
        demand(LAYERS)

    assert (
        "rtx: 3 layers asked for in INT8 came out in float: "
        "`two`, `three` (fp32): a bad axis; `up` (fp16): always float\n"
        "to allow it, write below `quantization`:\n"
        '  allow_float:\n  - "two"\n  - "three"\n  - "up"'
    ) == raised.value.message
    assert ("build_engine(rtx)", 3) == (raised.value.step, raised.value.code)


def test_the_lines_to_paste_allow_all_of_it(demand):
    """Of many layers each is there, beside what is allowed already; pasted, they are enough."""
    many = [layer(f"block.{number}/[Conv]*", "fp32", "no kernel") for number in range(12)]

    with pytest.raises(StepFailed) as raised:
        demand((*many, layer("up", "fp32")), allowed='"up"')

    lines = raised.value.message.splitlines()
    pasted = [line.removeprefix("  - ") for line in lines if line.startswith("  - ")]
    assert 13 == len(pasted)
    demand((*many, layer("up", "fp32")), allowed=", ".join(pasted))


def test_what_the_recipe_allows_passes(demand):
    """By name, pattern or operator; what is unknown fails nothing."""
    demand(LAYERS, allowed='"t*", "op:ConvTranspose"')


def test_a_layer_that_is_float_on_one_gpu_says_on_which(demand):
    """An engine for several GPUs promises what its weakest does."""
    mixed = layer("two", "fp32", "no kernel", **{"8.6": "fp32", "8.9": "int8"})

    with pytest.raises(StepFailed, match=r"`two` \(8.6: fp32, 8.9: int8\): no kernel"):
        demand((mixed,))


@pytest.mark.parametrize(
    ("mode", "kind"), [("implicit", "tensorrt_rtx"), ("explicit", "onnxruntime")]
)
def test_where_the_choice_is_not_ours_nothing_is_demanded(demand, mode, kind):
    """Ranges alone leave it to TensorRT; ONNX Runtime is the reference."""
    demand(LAYERS, mode=mode, kind=kind)


def test_int8_that_came_is_no_shortfall():
    """Nor is float that was asked for."""
    asked = LayerPrecision(name="head", op="Gemm", asked="fp32", delivered="fp32")

    assert () == find_undelivered((layer("one", "int8"), asked), ())
