"""Our tables of what each TensorRT has, held against its real bindings."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import get_args

import pytest

import trtbuild.backends
from tests.conftest import GOLDEN
from tests.helpers.surface import surface
from trtbuild.backends.tensorrt.native_calibration import CLASSES
from trtbuild.backends.tensorrt10 import DataType, Tensorrt10
from trtbuild.backends.tensorrt11 import Tensorrt11
from trtbuild.backends.tensorrt_rtx import TensorrtRtx

FLAVOURS = {"tensorrt10": Tensorrt10, "tensorrt11": Tensorrt11, "tensorrt_rtx": TensorrtRtx}
SURFACE = """
import json, sys, tensorrt_bindings
from tests.helpers.surface import surface
json.dump(surface(tensorrt_bindings), sys.stdout)
"""
ENUM_OF = {
    "memory_pools": "MemoryPoolType",
    "preview_features": "PreviewFeature",
    "tactic_sources": "TacticSource",
    "tiling": "TilingOptimizationLevel",
    "hardware_compatibility": "HardwareCompatibilityLevel",
    "profiling_verbosity": "ProfilingVerbosity",
    "io_formats": "TensorFormat",
}
NOT_OFFERED = {
    "MemoryPoolType": {"WORKSPACE"},  # an option of its own
}
OF_DLA = re.compile("^DLA_")
"""What bindings of RTX still name, and a build without a DLA has no use for."""


@pytest.fixture(params=FLAVOURS)
def flavour(request):
    """A kind of target, its class, and its surface as it is written down."""
    kind = request.param
    return kind, FLAVOURS[kind], json.loads((GOLDEN / "bindings" / f"{kind}.json").read_text())


@pytest.mark.parametrize("major", [10, 11])
def test_the_surface_written_down_is_the_real_one(real, golden, major):
    """Version, enum members, attributes, signatures: the doubles stand on nothing else."""
    found = json.loads(real(major).run(SURFACE))

    golden(f"bindings/tensorrt{major}.json", json.dumps(found, indent=1) + "\n")


def test_the_surface_of_rtx_is_the_real_one(golden):
    """The same for TensorRT-RTX, as it is installed here."""
    module = pytest.importorskip("tensorrt_rtx_bindings")

    golden("bindings/tensorrt_rtx.json", json.dumps(surface(module), indent=1) + "\n")


@pytest.mark.parametrize("option", ENUM_OF)
def test_an_options_words_are_the_members_of_its_enum(flavour, option):
    """All of them, in small letters, and no others."""
    kind, target, found = flavour
    if option not in target.model_fields:
        pytest.skip(f"{kind} has no {option}")
    members = set(found["enums"][ENUM_OF[option]]) - NOT_OFFERED.get(ENUM_OF[option], set())
    if kind == "tensorrt_rtx":
        members = {name for name in members if not OF_DLA.match(name)}

    words = {word for word in _literals(target.model_fields[option].annotation) if word}

    assert {name.lower() for name in members} == words


def _literals(annotation):
    """Yield the texts of every Literal in an annotation."""
    for part in get_args(annotation):
        if isinstance(part, str):
            yield part
        else:
            yield from _literals(part)


def test_the_compute_capabilities_are_those_of_rtx():
    """All that TensorRT-RTX compiles for, and no others."""
    found = json.loads((GOLDEN / "bindings/tensorrt_rtx.json").read_text())
    members = set(found["enums"]["ComputeCapability"]) - {"NONE", "CURRENT"}

    from trtbuild.backends.tensorrt_rtx import KNOWN

    assert members == {f"SM{str(each).replace('.', '')}" for each in KNOWN}


def test_types_of_inputs_are_data_types_of_10():
    """`io_types` names members of DataType."""
    found = json.loads((GOLDEN / "bindings/tensorrt10.json").read_text())

    offered = {word.upper() for word in get_args(DataType)}

    assert set(found["enums"]["DataType"]) == offered | NO_INPUT


NO_INPUT = {"FP8", "INT4", "FP4", "E8M0"}
"""Types that are none without Q/DQ nodes, so that no input of a weakly typed network has them."""


def test_typing_is_weak_where_there_are_flags_for_types(flavour):
    """And strong everywhere."""
    _, target, found = flavour
    weak = {"weak"} if "FP16" in found["enums"]["BuilderFlag"] else set()

    assert {"strong"} | weak == set(target.capabilities.typing)


def test_native_calibrators_are_those_of_10_alone(flavour):
    """Each kind that `capabilities` names has its class; the others have none of them."""
    _, target, found = flavour
    classes = {CLASSES[kind] for kind in target.capabilities.native_calibrators}

    assert classes == set(CLASSES.values()) & set(found["classes"])


def test_implicit_mode_is_where_ranges_and_flags_are(flavour):
    """A flavour takes `mode: implicit` exactly if its bindings have all that this rests on."""
    _, target, found = flavour
    classes, flags = found["classes"], found["enums"]["BuilderFlag"]
    has = (
        "INT8" in flags,
        "int8_calibrator" in classes["IBuilderConfig"],
        classes["ITensor"].get("dynamic_range") == "property",
        classes["ILayer"].get("precision") == "property",
    )

    assert {"implicit" in target.capabilities.modes} == set(has)
    assert all(("FP16" in flags) == (name in target.model_fields) for name in ("fp16", "bf16"))


def test_types_of_inputs_can_be_set_where_the_option_is(flavour):
    """`io_types` is an option where ITensor.dtype has a setter."""
    _, target, found = flavour
    settable = found["classes"]["ITensor"]["dtype"] == "property"

    assert settable == ("io_types" in target.model_fields)


USED = {
    "BuilderFlag": {
        "TF32",
        "REFIT",
        "REFIT_IDENTICAL",
        "STRIP_PLAN",
        "SPARSE_WEIGHTS",
        "VERSION_COMPATIBLE",
        "EXCLUDE_LEAN_RUNTIME",
        "ERROR_ON_TIMING_CACHE_MISS",
        "DISABLE_COMPILATION_CACHE",
        "GPU_FALLBACK",
    },
    "LayerInformationFormat": {"JSON"},
}
ATTRIBUTES = {
    "IBuilderConfig": {
        "set_flag": "set_flag(self: IBuilderConfig, flag: BuilderFlag) -> None",
        "clear_flag": "clear_flag(self: IBuilderConfig, flag: BuilderFlag) -> None",
        "create_timing_cache": "create_timing_cache(self: IBuilderConfig, "
        "serialized_timing_cache: typing_extensions.Buffer) -> ITimingCache",
        "set_timing_cache": "set_timing_cache(self: IBuilderConfig, cache: ITimingCache, "
        "ignore_mismatch: bool) -> bool",
        "get_timing_cache": "get_timing_cache(self: IBuilderConfig) -> ITimingCache",
        "get_memory_pool_limit": "get_memory_pool_limit(self: IBuilderConfig, pool: MemoryPoolType)"
        " -> int",
        "progress_monitor": "property",
        "DLA_core": "property",
        "default_device_type": "property",
    },
    "Builder": {"num_DLA_cores": "read only"},
    "ITimingCache": {"serialize": "serialize(self: ITimingCache) -> IHostMemory"},
    "INetworkDefinition": {
        "num_inputs": "read only",
        "num_layers": "read only",
        "get_input": "get_input(self: INetworkDefinition, index: typing.SupportsInt) -> ITensor",
        "get_layer": "get_layer(self: INetworkDefinition, index: typing.SupportsInt) -> ILayer",
    },
    "ITensor": {"name": "property", "is_shape_tensor": "read only"},
    "ILayer": {
        "name": "property",
        "type": "read only",
        "metadata": "property",
        "num_inputs": "read only",
        "num_outputs": "read only",
        "get_input": "get_input(self: ILayer, index: typing.SupportsInt) -> ITensor",
        "get_output": "get_output(self: ILayer, index: typing.SupportsInt) -> ITensor",
    },
    "Runtime": {
        "deserialize_cuda_engine": "1. deserialize_cuda_engine(self: Runtime, "
        "serialized_engine: typing_extensions.Buffer) -> ICudaEngine",
    },
    "IExecutionContext": {
        "set_input_shape": "1. set_input_shape(self: IExecutionContext, name: str, shape: tuple)"
        " -> bool",
        "set_tensor_address": "set_tensor_address(self: IExecutionContext, name: str, "
        "memory: typing.SupportsInt) -> bool",
        "set_output_allocator": "set_output_allocator(self: IExecutionContext, name: str, "
        "output_allocator: IOutputAllocator) -> bool",
        "set_optimization_profile_async": "set_optimization_profile_async("
        "self: IExecutionContext, profile_index: typing.SupportsInt, "
        "stream_handle: typing.SupportsInt) -> bool",
        "execute_async_v3": "execute_async_v3(self: IExecutionContext, "
        "stream_handle: typing.SupportsInt) -> bool",
    },
    "IConstantLayer": {"weights": "property"},
    "IProgressMonitor": {
        "phase_start": "phase_start(self: IProgressMonitor, phase_name: str, parent_phase: str, "
        "num_steps: typing.SupportsInt) -> None",
        "step_complete": "step_complete(self: IProgressMonitor, phase_name: str, "
        "step: typing.SupportsInt) -> bool",
        "phase_finish": "phase_finish(self: IProgressMonitor, phase_name: str) -> None",
    },
    "ICudaEngine": {
        "create_engine_inspector": "create_engine_inspector(self: ICudaEngine) -> EngineInspector"
    },
    "EngineInspector": {
        "get_engine_information": "get_engine_information(self: EngineInspector, "
        "format: LayerInformationFormat) -> str"
    },
}


def test_what_every_backend_uses_is_everywhere(flavour):
    """Enum members, methods with their signatures, and properties that can be set."""
    _, _, found = flavour

    for name, members in USED.items():
        assert members <= set(found["enums"][name])
    for name, attributes in ATTRIBUTES.items():
        for attribute, expected in attributes.items():
            actual = found["classes"][name].get(attribute)
            assert expected in (actual if isinstance(actual, list) else [actual]), attribute


@pytest.mark.parametrize("kind", ["tensorrt10", "tensorrt11"])
def test_no_attribute_of_trt_escapes_these_tests(kind):
    """Every `trt.Name` in the sources is in the surface of 10, or is looked for in tests above."""
    found = json.loads((GOLDEN / "bindings/tensorrt10.json").read_text())
    known = {*found["classes"], *found["enums"], "__version__"}
    used = set()
    for path in Path(trtbuild.backends.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                used |= {node.attr} if node.value.id == "trt" else set()

    assert set() == used - known
