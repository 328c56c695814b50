"""TensorRT 11: what it is told, by a double whose surface is the real bindings'."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from trtbuild.backends.tensorrt11 import Tensorrt11

INSPECTED = {
    "Layers": [
        {
            "Name": "conv",
            "LayerType": "CaskConvolution",
            "Inputs": [{"Name": "x", "Format": "Row major linear", "Datatype": "Int8"}],
            "Outputs": [{"Name": "y", "Format": "Row major linear", "Datatype": "FP32"}],
            "Weights": {"Type": "Int8", "Count": 576},
            "Metadata": "[ONNX Layer: layer]\x1e[ONNX Layer: relu]",
        }
    ],
    "I/O Tensors": [{"Name": "x", "IOMode": "Input", "DataType": "Float"}],
}


def test_nothing_is_left_to_a_default(double):
    """The network has no flags; TF32, verbosity and the timing cache are set whatever is asked."""
    result = double("tensorrt11", options={"tf32": False}, inspector=INSPECTED)

    told = result["told"]
    assert "Builder.create_network(flags=0)" in told
    assert "IBuilderConfig.clear_flag(TF32)" == [line for line in told if "(TF32)" in line][-1]
    assert "IBuilderConfig.profiling_verbosity = DETAILED" in told
    assert "IBuilderConfig.set_timing_cache(ITimingCache, ignore_mismatch=False)" in told
    assert [] == result["notes"]
    assert "off" == result["options"]["tf32"]
    assert {"weights_bytes": 5000, "context_bytes": [100]} == result["memory"]


def test_every_option_reaches_the_builder_by_name(double):
    """Pools in bytes, enums by name, flags for what Polygraphy has no argument for."""
    options = {
        "workspace": "1GiB",
        "memory_pools": {"tactic_dram": "2GiB"},
        "builder_optimization_level": 5,
        "sparse_weights": True,
        "max_aux_streams": 1,
        "tiling": "full",
        "tactic_sources": ["jit_convolutions"],
        "preview_features": ["aliased_plugin_io_10_03"],
        "hardware_compatibility": "ampere_plus",
        "version_compatible": True,
        "exclude_lean_runtime": True,
        "refit": "identical",
        "strip_plan": True,
        "io_formats": {"x": ["chw32", "linear"]},
    }

    told = double("tensorrt11", options=options, inspector=INSPECTED)["told"]

    config = "IBuilderConfig"
    for line in (
        f"{config}.set_memory_pool_limit(WORKSPACE, {2**30})",
        f"{config}.set_memory_pool_limit(TACTIC_DRAM, {2**31})",
        f"{config}.builder_optimization_level = 5",
        f"{config}.set_flag(SPARSE_WEIGHTS)",
        f"{config}.max_aux_streams = 1",
        f"{config}.tiling_optimization_level = FULL",
        f"{config}.set_preview_feature(ALIASED_PLUGIN_IO_10_03, True)",
        f"{config}.set_preview_feature(RUNTIME_ACTIVATION_RESIZE_10_10, False)",
        f"{config}.hardware_compatibility_level = AMPERE_PLUS",
        f"{config}.set_flag(VERSION_COMPATIBLE)",
        f"{config}.set_flag(EXCLUDE_LEAN_RUNTIME)",
        f"{config}.set_flag(REFIT_IDENTICAL)",
        f"{config}.set_flag(STRIP_PLAN)",
    ):
        assert line in told
    assert any(line.startswith(f"{config}.set_tactic_sources(") for line in told)
    assert any(line.startswith("x.allowed_formats = ") for line in told)


def test_what_was_delivered_is_read_from_the_inspector(double):
    """The engine is read back, and the layer that was asked for is found by its metadata."""
    result = double("tensorrt11", inspector=INSPECTED, asked=[["layer", "Conv", "int8"]])

    assert [["layer", "int8", "int8", ""]] == result["layers"]
    assert "ICudaEngine.create_engine_inspector()" in result["told"]


def test_less_verbosity_says_what_it_costs(double):
    """The engine is not read back, and the report says why it does not know."""
    result = double(
        "tensorrt11", options={"profiling_verbosity": "none"}, asked=[["layer", "Conv", "int8"]]
    )

    [[*_, delivered, cause]] = result["layers"]
    assert "unknown" == delivered
    assert "profiling_verbosity: detailed" in cause


def test_several_profiles_are_several(double):
    """Each goes into the config, in order."""
    profiles = [{"x": [[1, 8, 8, 8]] * 3}, {"x": [[1, 8, 8, 8]] * 3}]

    told = double("tensorrt11", profiles=profiles, inspector=INSPECTED)["told"]

    assert 2 == sum("add_optimization_profile" in line for line in told)


def test_a_frozen_build_times_nothing(double, tmp_path):
    """A miss is an error, no cache of the driver is used, and the timing cache stays as it was."""
    (tmp_path / "timing").write_bytes(b"known")
    options = {"timing_cache": "timing", "frozen": True}
    order = {"options": options, "timing_cache": str(tmp_path / "timing"), "pinned": True}

    told = double("tensorrt11", inspector=INSPECTED, **order)["told"]
    changed = double("tensorrt11", timed=" more", **order)

    assert "IBuilderConfig.set_flag(ERROR_ON_TIMING_CACHE_MISS)" in told
    assert "IBuilderConfig.set_flag(DISABLE_COMPILATION_CACHE)" in told
    assert "IBuilderConfig.create_timing_cache(5 bytes)" in told
    assert "changed during a frozen build, from 5 to 10 bytes" in changed["error"][1]


def test_a_rejected_timing_cache_is_told(double, tmp_path):
    """One that the recipe names is an error; one of an earlier build is left, with a note."""
    (tmp_path / "timing").write_bytes(b"foreign")
    order = {"timing_cache": str(tmp_path / "timing"), "inspector": INSPECTED}

    named = double("tensorrt11", pinned=True, **order)
    managed = double("tensorrt11", timed="new", **order)

    assert "TensorRT rejects the timing cache" in named["error"][1]
    assert "every kernel is timed anew" in managed["notes"][0]
    assert b"new" == (tmp_path / "timing.cache").read_bytes()


def test_without_a_gpu_the_error_says_so(double):
    """pybind11's `nullptr` is no message for a user."""
    kind, message, hint = double("tensorrt11", no_gpu=True)["error"]

    assert "NoGpu" == kind
    assert "TensorRT 11 cannot start its builder" in message
    assert "driver" in hint


def test_the_other_version_is_not_taken_for_it(double):
    """A Python that has 10 cannot build for 11; the error says how to have both."""
    from tests.conftest import GOLDEN

    ten = str(GOLDEN / "bindings/tensorrt10.json")
    kind, message, hint = double("tensorrt11", borrowed=ten)["error"]

    assert "MissingDependency" == kind
    assert "this Python has TensorRT 10.16.1.11" in message
    assert "TRTBUILD_PYTHON_TENSORRT11=" in hint


def test_a_refused_model_is_quoted(double):
    """The parser's words, and the node."""
    text = "In node 0 with name: layer and operator: Conv (parseNode): UNSUPPORTED_NODE: no."

    kind, message, hint = double("tensorrt11", errors=[text])["error"]

    assert "StepInputError" == kind
    assert "TensorRT 11 refuses the model: node `layer` (Conv)" in message
    assert "Conv" in hint


def test_plugins_are_loaded_first(double, tmp_path):
    """A library that is none is an error before anything is built."""
    (tmp_path / "plugin.so").write_bytes(b"no library")

    kind, message, _ = double("tensorrt11", plugins=[str(tmp_path / "plugin.so")])["error"]

    assert "StepInputError" == kind
    assert "plugin.so" in message


def test_a_library_with_plugins_is_loaded_before_the_model_is_read(double, cuda):
    """Any library will do for the double: what counts is that it is opened."""
    result = double("tensorrt11", plugins=[str(cuda / "libcudart.so")], inspector=INSPECTED)

    assert "error" not in result


def test_names_of_inputs_must_exist(double):
    """Polygraphy would only warn."""
    _, message, hint = double("tensorrt11", options={"io_formats": {"z": ["linear"]}})["error"]

    assert "`io_formats` names `z`, which is no input or output" in message
    assert "x, y" in hint


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"frozen": True}, "`frozen` needs the file of a timing cache"),
        ({"exclude_lean_runtime": True}, "version_compatible: true"),
        ({"strip_plan": True}, "`strip_plan` needs"),
        ({"gpu": "hopper"}, "gpu"),
        ({"fp16": True}, "fp16"),
        ({"gpu_fallback": True}, "`gpu_fallback` is for targets with a `dla_core`"),
        ({"tactic_sources": ["cudnn"]}, "tactic_sources"),
    ],
)
def test_what_it_lacks_or_cannot_combine_is_refused(options, message):
    """Before anything is loaded."""
    with pytest.raises(ValidationError, match=message):
        Tensorrt11.model_validate_json(json.dumps({"kind": "tensorrt11", **options}))


def test_it_is_built_for_the_gpu_that_the_recipe_names():
    """As people write it, or as NVIDIA does."""
    texts = ("sm_90", "90", "9.0", "12.1")

    made = [Tensorrt11(kind="tensorrt11", gpu=text).built_for() for text in texts]

    assert [("9.0",), ("9.0",), ("9.0",), ("12.1",)] == made


def test_layers_that_a_limit_cost_kernels_are_told_whatever_the_log_has(double):
    """They are listened to, and not written; the engine's need is told of `auto`."""
    says = [
        ("VERBOSE", "--------------- Timing Runner: layer (CaskConvolution[0x80000009])"),
        ("VERBOSE", "Tactic: 0x4 skipped. Scratch requested: 8388608, available: 7340032"),
        ("INFO", "Max Scratch Memory: 4096 bytes"),
    ]

    found = double("tensorrt11", options={"workspace": "auto"}, memory=8 << 20, says=says)

    assert str(7 << 20) == found["options"]["workspace_bytes"]
    need, loss = found["notes"]
    assert "`workspace: auto` is 7.0 MiB, the GPU's 8.0 MiB less 1/8" in need
    assert "1 layer lost kernels, which ask for up to 8.0 MiB" in loss


def test_a_dla_takes_pairs_from_11_4_1_on(double):
    """No flag for INT8 or FP16 is set: types stand in the model; Polygraphy would take core 0."""
    options = {"dla_core": 1, "gpu_fallback": True, "memory_pools": {"dla_managed_sram": "1MiB"}}

    told = double("tensorrt11", options=options, version="11.4.1.5", dla_cores=2)["told"]

    assert "IBuilderConfig.default_device_type = DLA" in told
    assert "IBuilderConfig.DLA_core = 1" == [line for line in told if "DLA_core" in line][-1]
    assert "IBuilderConfig.set_flag(GPU_FALLBACK)" in told
    assert f"IBuilderConfig.set_memory_pool_limit(DLA_MANAGED_SRAM, {2**20})" in told
    flags = [line for line in told if "set_flag" in line]
    assert not any(word in line for line in flags for word in ("INT8", "FP16", "PRECISION"))


@pytest.mark.parametrize(
    ("version", "cores", "kind", "message"),
    [
        ("11.4.0.106", 2, "MissingDependency", "TensorRT 11.4.0.106 builds for no DLA here"),
        ("11.4.1.5", 1, "NoGpu", "there is no DLA 1 here: TensorRT finds 1"),
    ],
)
def test_a_dla_that_is_not_there_is_not_left_to_the_gpu(double, version, cores, kind, message):
    """Not even with `gpu_fallback`, by which Polygraphy would give it all of the work."""
    options = {"dla_core": 1, "gpu_fallback": True}

    error = double("tensorrt11", options=options, version=version, dla_cores=cores)["error"]

    assert (kind, message) == (error[0], error[1])
