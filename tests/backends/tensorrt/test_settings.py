"""What is set on a builder, with nothing left to anybody's default."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from trtbuild.backends.tensorrt.options import GpuTrtOptions, TrtOptions
from trtbuild.backends.tensorrt.settings import (
    Member,
    Settings,
    describe_settings,
    make_settings,
    resolve_members,
)


def settings(kind=GpuTrtOptions, **options):
    return make_settings(kind.model_validate_json(json.dumps(options)))


def test_members_are_found_by_name_however_deep():
    """The numbers behind them differ between versions."""
    trt = SimpleNamespace(Pool=SimpleNamespace(WORKSPACE=17), Level=SimpleNamespace(FULL=3))
    value = {Member("Pool", "WORKSPACE"): 1, "levels": [Member("Level", "FULL"), "as it is"]}

    assert {17: 1, "levels": [3, "as it is"]} == resolve_members(value, trt)
    assert "trt.Pool.WORKSPACE" == repr(Member("Pool", "WORKSPACE"))


def test_what_polygraphy_would_choose_is_set():
    """TF32, the level and the verbosity differ between its versions, or between flavours."""
    made = settings(TrtOptions)

    assert {"TF32": True} == made.flags
    assert {
        "memory_pool_limits": {},
        "builder_optimization_level": 3,
        "profiling_verbosity": Member("ProfilingVerbosity", "DETAILED"),
        "sparse_weights": False,
    } == made.arguments


@pytest.mark.parametrize(
    ("argument", "value", "options"),
    [
        (
            "memory_pool_limits",
            {
                Member("MemoryPoolType", "WORKSPACE"): 1024,
                Member("MemoryPoolType", "TACTIC_DRAM"): 7,
            },
            {"workspace": "1KiB", "memory_pools": {"tactic_dram": 7}},
        ),
        ("tactic_sources", [], {"tactic_sources": []}),
        (
            "tactic_sources",
            [Member("TacticSource", "JIT_CONVOLUTIONS")],
            {"tactic_sources": ["jit_convolutions"]},
        ),
        ("max_aux_streams", 0, {"max_aux_streams": 0}),
        (
            "hardware_compatibility_level",
            Member("HardwareCompatibilityLevel", "AMPERE_PLUS"),
            {"hardware_compatibility": "ampere_plus"},
        ),
        ("refittable", True, {"refit": "all"}),
        ("error_on_timing_cache_miss", True, {"frozen": True, "timing_cache": "a"}),
        ("disable_compilation_cache", True, {"frozen": True, "timing_cache": "a"}),
    ],
)
def test_an_option_reaches_the_argument_that_is_for_it(argument, value, options):
    """None of the options that are not given does; no sources are not the same as none said."""
    assert value == settings(**options).arguments[argument]
    assert argument == "memory_pool_limits" or argument not in settings().arguments


def test_a_refit_by_the_same_weights_is_a_flag():
    """Polygraphy has an argument for others alone."""
    made = settings(refit="identical")

    assert made.flags["REFIT_IDENTICAL"]
    assert "refittable" not in made.arguments


def test_what_has_no_argument_is_set_afterwards():
    """Flags one way or the other, then attributes."""
    told = []

    class Config:
        def set_flag(self, flag):
            told.append(f"set {flag}")

        def clear_flag(self, flag):
            told.append(f"clear {flag}")

    trt = SimpleNamespace(BuilderFlag=SimpleNamespace(A="A", B="B"), E=SimpleNamespace(X=5))
    config = Config()
    made = Settings(flags={"A": True, "B": False}, attributes={"core": 1, "what": Member("E", "X")})

    made.apply(config, trt)

    assert ["set A", "clear B"] == told
    assert (1, 5) == (config.core, config.what)


def test_all_of_it_is_told_in_words():
    """Sorted, pools in bytes, members by name, switches as on and off."""
    made = settings(workspace="1KiB", tf32=False, preview_features=["aliased_plugin_io_10_03"])
    made.attributes["DLA_core"] = 1

    found = describe_settings(made, {"flags": "STRONGLY_TYPED"})

    assert sorted(found) == list(found)
    assert {
        "workspace_bytes": "1024",
        "tf32": "off",
        "dla_core": "1",
        "preview_features": "ALIASED_PLUGIN_IO_10_03",
        "profiling_verbosity": "DETAILED",
        "sparse_weights": "off",
        "builder_optimization_level": "3",
        "flags": "STRONGLY_TYPED",
    } == found
