"""trtexec's options."""

from __future__ import annotations

import pytest

from trtbuild.core.errors import UsageError
from trtbuild.verbs.init.old_commands.command_line import Reading, split_command
from trtbuild.verbs.init.old_commands.trtexec import FLAGS, read_trtexec


def read(text):
    reading = Reading({}, [])
    read_trtexec(split_command(text, "trtexec")[0], reading)
    return reading


def test_what_a_recipe_has_is_kept():
    """In its words."""
    reading = read(
        "/usr/src/tensorrt/bin/trtexec --onnx=m.onnx --int8 --fp16 --noTF32 --sparsity=enable "
        "--memPoolSize=workspace:1024,dlaSRAM:1 --builderOptimizationLevel=5 "
        "--hardwareCompatibilityLevel=ampere+ --versionCompatible --useDLACore=1 "
        "--allowGPUFallback --plugins=a.so --plugins=b.so --layerPrecisions=*:fp16,head:fp32 "
        "--precisionConstraints=obey --timingCacheFile=t.cache --calib=c.cache"
    )

    assert {
        "model": "m.onnx", "int8": True, "fp16": True, "tf32": False, "sparse_weights": True,
        "pools": {"workspace": 2**30, "dla_managed_sram": 2**20}, "builder_optimization_level": 5,
        "hardware_compatibility": "ampere_plus", "version_compatible": True, "dla_core": 1,
        "gpu_fallback": True, "plugins": ["a.so", "b.so"], "layers": {"*": "fp16", "head": "fp32"},
        "precision_constraints": "obey", "timing_cache": "t.cache", "cache": "c.cache",
    } == reading.told  # fmt: skip
    assert [] == reading.notes


def test_shapes_make_profiles():
    """`--profile` begins another; names may stand in quotes."""
    reading = read(
        "trtexec --onnx=m.onnx --profile=0 --minShapes=\"'a:0':1x2,b:1\" --maxShapes=\"'a:0':4x2\" "
        "--profile=1 --optShapes='a:0:8x2'"
    )

    assert [
        {"a:0": {"min": (1, 2), "max": (4, 2)}, "b": {"min": (1,)}},
        {"a:0": {"opt": (8, 2)}},
    ] == reading.told["profiles"]


def test_what_has_no_counterpart_is_named():
    """With where it went."""
    reading = read("trtexec --onnx=m.onnx --saveEngine=x.engine --useCudaGraph --iterations=9 -x")

    assert ["--saveEngine=x.engine", "--useCudaGraph", "--iterations=9", "-x"] == [
        flag for flag, _ in reading.notes
    ]
    assert all(why for _, why in reading.notes)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("trtexec --int8", "names no model"),
        ("trtexec --loadEngine=x.engine", "loads an engine"),
        ("trtexec --onnx=m.onnx --minShapes=1x3", "no shape of an input"),
        ("trtexec --onnx=m.onnx --minShapes=x:1xa", "no shape of an input"),
        ("trtexec --onnx=m.onnx --workspace=much", "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_one_error(text, told):
    """With what would be."""
    with pytest.raises(UsageError, match=told) as raised:
        read(text)

    assert raised.value.hint


def test_every_option_of_the_documentation_is_known():
    """Of the build and of the rest."""
    asked = (
        "onnx minShapes optShapes maxShapes shapes fp16 int8 best bf16 fp8 calib workspace "
        "memPoolSize saveEngine loadEngine timingCacheFile builderOptimizationLevel inputIOFormats "
        "outputIOFormats precisionConstraints layerPrecisions sparsity useDLACore allowGPUFallback "
        "device plugins stronglyTyped versionCompatible hardwareCompatibilityLevel verbose refit "
        "noTF32 tacticSources maxAuxStreams profilingVerbosity skipInference dumpLayerInfo"
    )

    assert set() == {f"--{name}" for name in asked.split()} - FLAGS.keys()
