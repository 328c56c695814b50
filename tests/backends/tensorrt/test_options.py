"""The options that TensorRTs share, and what follows from them."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from trtbuild.backends.tensorrt.options import ANY_GPU, GpuTrtOptions, TrtOptions, parse_capability
from trtbuild.backends.tensorrt_rtx import TensorrtRtx
from trtbuild.core.needs import GpuNeed
from trtbuild.core.options import find_location_fields
from trtbuild.plan.plan import list_params


def made(**options):
    return GpuTrtOptions.model_validate_json(json.dumps(options))


@pytest.mark.parametrize(
    ("expected", "text"), [("9.0", "sm_90"), ("9.0", "9.0"), ("12.0", "120"), ("8.9", "sm_89")]
)
def test_a_capability_may_be_written_as_people_do(expected, text):
    """It is one number with a point."""
    assert expected == parse_capability(text)
    assert (expected,) == made(gpu=text).built_for()
    assert GpuNeed(capability=expected, alone=True) == made(gpu=text).gpu_need()


def test_without_a_gpu_named_it_is_the_one_that_builds():
    """Alone on it, since kernels are timed."""
    assert (ANY_GPU,) == made().built_for()
    assert GpuNeed(capability="", alone=True) == made().gpu_need()


@pytest.mark.parametrize(
    ("says", "options"),
    [
        ("`frozen` needs the file of a timing cache", {"frozen": True}),
        ("is for engines with `version_compatible: true`", {"exclude_lean_runtime": True}),
        ("`strip_plan` needs `refit: all`", {"strip_plan": True}),
        ("gpu", {"gpu": "H100"}),
        ("builder_optimization_level", {"builder_optimization_level": 6}),
        ("workspace", {"workspace": 0}),
        ("io_formats", {"io_formats": {"x": []}}),
    ],
)
def test_what_cannot_be_is_refused(says, options):
    """Before TensorRT is asked."""
    with pytest.raises(ValidationError, match=says):
        made(**options)


def test_only_a_frozen_target_promises_its_tactics():
    """Where kernels are timed, another may win next time; it says how to have it otherwise."""
    timed, frozen = made().guarantee(()), made(frozen=True, timing_cache="a.cache").guarantee(())

    assert (0, 1) == (timed.level, frozen.level)
    assert "`frozen: true`" in timed.reason


def test_what_changes_no_engine_is_no_ingredient():
    """How long to wait, where files lie, and how it is run."""
    kept = {"timing_cache", "plugins", "timeout_seconds", "runtime"}
    assert kept == find_location_fields(GpuTrtOptions)
    assert list_params(made(timeout_seconds=5.0, runtime={"graphs": False})) == list_params(made())
    assert list_params(made(tf32=False)) != list_params(made())


def test_sizes_may_have_units():
    """In pools too."""
    found = TrtOptions.model_validate_json('{"memory_pools": {"tactic_dram": "1GiB"}}')

    assert {"tactic_dram": 2**30} == found.memory_pools


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("automatic", "`automatic` is not a size; write a number and a unit .*: 4GiB, or auto"),
        (-1, "a size is at least 1 byte, and this is -1; write 4GiB, or auto"),
        ("0MiB", "a size is at least 1 byte, and this is 0"),
        ([1], "a size is a number with a unit; write 4GiB, or auto"),
        (True, "a size is a number with a unit"),
        ("9000000PiB", "is not a size"),
    ],
)
def test_a_workspace_is_a_size_or_auto(given, says):
    """Nothing else, and what to write is said."""
    assert ("auto", 4 << 30, 7) == tuple(
        made(workspace=each).workspace for each in ("auto", "4GiB", 7)
    )
    with pytest.raises(ValidationError, match=says):
        made(workspace=given)


def test_auto_is_one_number_where_no_gpu_is_asked():
    """An engine that is compiled ahead is the same on every machine, and under both names."""
    auto, usual = (TensorrtRtx(kind="tensorrt_rtx", **more) for more in ({"workspace": "auto"}, {}))

    assert list_params(auto) == list_params(usual)
