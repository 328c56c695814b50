"""TensorRT 10: typing, flags, DLA and implicit quantization, by a double."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from tests.helpers.qdq import layer, relu_gemm
from tests.helpers.trt_answers import inner_tensor
from trtbuild.backends.tensorrt10 import Tensorrt10

RANGES = {
    name: {"low": -limit, "high": limit, "origin": "calibrated"}
    for name, limit in {"x": 2.0, "a": 1.0, "y": 4.0}.items()
}
INNER = inner_tensor("tensorrt10")
STRONG = 1 << (7 * 1 + 3)
"""STRONGLY_TYPED is the second of its enum; the double numbers them 3, 10, ..."""


def test_a_model_with_pairs_is_strongly_typed(double):
    """Explicit quantization as on 11: no flags, INT8 where the pairs are and nowhere else."""
    told = double("tensorrt10")["told"]

    assert f"Builder.create_network(flags={STRONG})" in told
    assert not any("(INT8)" in line or "(FP16)" in line for line in told)


def test_fp16_makes_the_network_weakly_typed(double):
    """Then Q/DQ pairs need the INT8 flag too, and no calibrator."""
    told = double("tensorrt10", options={"fp16": True})["told"]

    assert "Builder.create_network(flags=0)" in told
    assert {"IBuilderConfig.set_flag(FP16)", "IBuilderConfig.set_flag(INT8)"} <= set(told)
    assert not any("int8_calibrator" in line for line in told)


def test_implicit_mode_sets_a_range_on_every_tensor(double):
    """Inputs, activations, outputs, and what the parser put between them."""
    result = double("tensorrt10", relu_gemm(), ranges=RANGES, options={"bf16": True})

    told = result["told"]
    assert [
        "x.dynamic_range = (-2.0, 2.0)",
        "a.dynamic_range = (-1.0, 1.0)",
        f"{INNER}.dynamic_range = (-4.0, 4.0)",
        "y.dynamic_range = (-4.0, 4.0)",
    ] == [line for line in told if "dynamic_range" in line]
    assert {"IBuilderConfig.set_flag(INT8)", "IBuilderConfig.set_flag(BF16)"} <= set(told)
    assert "Builder.create_network(flags=0)" in told
    assert "4 tensors" == result["options"]["ranges"]
    assert not any("range" in note for note in result["notes"])


def test_ranges_go_in_as_a_cache_through_the_calibrator(double):
    """TensorRT takes them for its own; no range is set beside it, and no data asked for."""
    result = double("tensorrt10", relu_gemm(), ranges=RANGES, options={"ranges_as": "cache"})

    [cache] = [line for line in result["told"] if line.startswith("cache: ")]
    assert cache.startswith("cache: 10.16.1.11 {'x': ")
    assert f"'{INNER}': {4 / 127}" in cache
    assert not any("dynamic_range" in line for line in result["told"])


def test_a_tensor_without_a_range_is_told(double):
    """TensorRT would compute in float around it without a word."""
    ranges = {"x": RANGES["x"]}

    result = double("tensorrt10", relu_gemm(), ranges=ranges)

    assert any("3 of 4 tensors have no range" in note for note in result["notes"])


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ({"ranges": {"z": RANGES["x"]}}, "no tensor that has a range is in the network"),
        ({"ranges": RANGES, "manual": ["z"]}, "the range for `z` would have no effect"),
        ({"ranges": RANGES, "floats": ["gone"]}, "`gone` was to stay float"),
    ],
)
def test_what_would_have_no_effect_is_an_error(double, order, message):
    """A range or a node that TensorRT's network does not have."""
    result = double("tensorrt10", relu_gemm(), **order)

    assert message in result["error"][1]


def test_ranges_and_pairs_exclude_each_other(double):
    """TensorRT must not be given ranges where there are Q/DQ layers."""
    result = double("tensorrt10", layer(), ranges=RANGES)

    assert "the model has Q/DQ nodes" in result["error"][1]


def test_nodes_that_must_stay_float_are_held_back(double):
    """Both layers of the Gemm, under the constraint that the target names."""
    result = double("tensorrt10", relu_gemm(), ranges=RANGES, floats=["fc"])

    assert 2 == result["told"].count("fc.precision = FLOAT")
    assert "IBuilderConfig.set_flag(OBEY_PRECISION_CONSTRAINTS)" in result["told"]


def test_dla_is_chosen_by_its_core(double):
    """Polygraphy takes core 0 whatever is asked; where there is no DLA, that is said."""
    options = {"dla_core": 1, "gpu_fallback": True, "fp16": True}

    told = double("tensorrt10", options=options, dla_cores=2)["told"]
    without = double("tensorrt10", options={"dla_core": 0, "fp16": True})

    assert "IBuilderConfig.default_device_type = DLA" in told
    assert "IBuilderConfig.DLA_core = 1" == [line for line in told if "DLA_core" in line][-1]
    assert "IBuilderConfig.set_flag(GPU_FALLBACK)" in told
    assert "there is no DLA 0 here: TensorRT finds 0" == without["error"][1]


def test_every_option_of_its_own_reaches_the_builder_by_name(double):
    """Pools of a DLA, kernels of libraries that left with 11, its preview features and layouts."""
    options = {
        "dla_core": 0,
        "fp16": True,
        "memory_pools": {"dla_managed_sram": "1MiB", "dla_local_dram": 2, "dla_global_dram": 3},
        "tactic_sources": ["cublas", "cudnn"],
        "preview_features": ["profile_sharing_0806"],
        "io_formats": {"x": ["dla_linear"]},
    }

    told = double("tensorrt10", options=options, dla_cores=1)["told"]

    for pool, size in (("MANAGED_SRAM", 2**20), ("LOCAL_DRAM", 2), ("GLOBAL_DRAM", 3)):
        assert f"IBuilderConfig.set_memory_pool_limit(DLA_{pool}, {size})" in told
    assert "IBuilderConfig.set_preview_feature(PROFILE_SHARING_0806, True)" in told
    assert "IBuilderConfig.set_preview_feature(MULTIDEVICE_RUNTIME_10_16, False)" in told
    sources = sum(1 << (7 * index + 3) for index in (0, 2))  # cublas and cudnn, as it numbers them
    assert f"IBuilderConfig.set_tactic_sources({sources})" in told
    assert any(line.startswith("x.allowed_formats = ") for line in told)


def test_types_of_inputs_and_outputs(double):
    """By the names of TensorRT's own enum."""
    told = double("tensorrt10", options={"fp16": True, "io_types": {"x": "half"}})["told"]

    assert "x.dtype = HALF" in told


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"gpu_fallback": True}, "`gpu_fallback` is for targets with a `dla_core`"),
        ({"memory_pools": {"dla_managed_sram": "1MiB"}}, "there is no `dla_core`"),
        ({"io_types": {"x": "fp7"}}, "io_types"),
    ],
)
def test_what_cannot_be_combined_is_refused(options, message):
    """Before anything is loaded."""
    with pytest.raises(ValidationError, match=message):
        Tensorrt10.model_validate_json(json.dumps({"kind": "tensorrt10", **options}))
