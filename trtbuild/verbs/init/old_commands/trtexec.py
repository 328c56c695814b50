"""trtexec's options, and what a recipe says in their place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from trtbuild.core.errors import UsageError
from trtbuild.verbs.init.old_commands.command_line import Flag, Reading, read_flags
from trtbuild.verbs.init.old_commands.words import (
    find_words,
    keeps,
    notes,
    parse_bytes,
    parse_shape,
    parse_whole,
    sets,
    split_outside_quotes,
)

__all__ = ["read_trtexec"]

TIMES = "`apply` builds and compares, and times nothing"
BUILDS = "`apply` runs no engine for its time; nothing to skip"
PLACED = "engines are placed in build/NAME/TARGET/model.engine"
GONE = "TensorRT has this no more"
READ_BACK = "engine.json says of every layer what was delivered"
LOGGED = "`apply --log-level verbose` has the builder say all; `why RECIPE --log` shows it"
CUDA = "`apply --device N` chooses the GPU; the target's `gpu` says of which sort"
TYPES = "types of outputs follow from the graph: change them there"
_POOLS = {
    "workspace": "workspace",
    "dlaSRAM": "dla_managed_sram",
    "dlaLocalDRAM": "dla_local_dram",
    "dlaGlobalDRAM": "dla_global_dram",
    "tacticSharedMem": "tactic_shared_memory",
}
_LEVELS = {
    "none": "none",
    "ampere+": "ampere_plus",
    "sameComputeCapability": "same_compute_capability",
}


def read_trtexec(words: list[str], reading: Reading) -> None:
    """Read trtexec's options; the first word may be the program.

    Raises:
        UsageError: one cannot be read, or there is no model.
    """
    rest = words[1:] if not words[0].startswith("-") else words
    for stray in read_flags(rest, FLAGS, reading, tool="trtexec"):
        reading.note(stray, "it belongs to no option")
    if "engine" in reading.told and "model" not in reading.told:
        raise UsageError(
            "--from trtexec: the command loads an engine, and builds none",
            hint="`trtbuild run ENGINE --input x.npz` runs one, `trtbuild inspect ENGINE` says "
            "what it is",
        )
    if "model" not in reading.told:
        raise UsageError("--from trtexec: the command names no model", hint="--onnx=FILE")


def _shapes(end: str) -> Flag:
    """Return the flag of one end of a profile: `name:1x3x224x224,other:1x10`."""

    def read(reading: Reading, written: str, found: list[str]) -> None:
        profiles = reading.told.setdefault("profiles", [{}])
        for part in split_outside_quotes(found[-1]):
            name, colon, shape = part.rpartition(":")
            try:
                sizes = parse_shape(shape)
            except ValueError:
                colon = ""
            if not colon or not name.strip("'\\"):
                raise UsageError(
                    f"--from trtexec: `{written}`: `{part}` is no shape of an input",
                    hint="NAME:1x3x224x224",
                )
            profiles[-1].setdefault(name.strip("'\\"), {})[end] = sizes

    return Flag(read)


def _next_profile(reading: Reading, written: str, found: list[str]) -> None:
    del written, found
    profiles = reading.told.setdefault("profiles", [{}])
    if profiles[-1]:
        profiles.append({})


def _pools(reading: Reading, written: str, found: list[str]) -> None:
    for part in split_outside_quotes(found[-1]):
        name, colon, size = part.rpartition(":")
        try:
            size_bytes, pool = parse_bytes(size), find_words(_POOLS, name)
        except ValueError:
            reading.note(written, f"`{part}` is no pool that is known")
            continue
        if colon:
            reading.told.setdefault("pools", {})[pool] = size_bytes


def _options(key: str) -> Flag:
    """Return a flag that is a list of layers with a type each: `*:fp16,layer:fp32`."""

    def read(reading: Reading, written: str, found: list[str]) -> None:
        del written
        for part in split_outside_quotes(found[-1]):
            name, _, kind = part.rpartition(":")
            reading.told.setdefault(key, {})[name.strip("'")] = kind

    return Flag(read)


def _formats(key: str) -> Flag:
    """Return a flag that is a list of types and layouts, in the order of inputs or outputs."""

    def read(reading: Reading, written: str, found: list[str]) -> None:
        del written
        pairs = [part.partition(":")[::2] for part in split_outside_quotes(found[-1])]
        reading.told[key] = [(kind, layout.split("+") if layout else []) for kind, layout in pairs]

    return Flag(read)


def _switches(key: str) -> Flag:
    """Return a flag that adds (+) or removes (-) what is named."""

    def read(reading: Reading, written: str, found: list[str]) -> None:
        added = [p[1:] for p in found[-1].split(",") if p.startswith("+")]
        removed = [p[1:] for p in found[-1].split(",") if p.startswith("-")]
        if added and not removed:
            reading.told[key] = [name.lower() for name in added]
        else:
            reading.note(written, f"a target's `{key}` lists what to use, and nothing else is used")

    return Flag(read)


def _gathers(key: str) -> Flag:
    def read(reading: Reading, written: str, found: list[str]) -> None:
        del written
        reading.told.setdefault(key, []).extend(found[-1].split(","))

    return Flag(read)


def _sparsity(reading: Reading, written: str, found: list[str]) -> None:
    reading.told["sparse_weights"] = found[-1] != "disable"
    if found[-1] == "force":
        reading.note(written, "weights are used as they are, and none is overwritten with zeros")


def _both(*keys: str) -> Flag:
    def read(reading: Reading, written: str, found: list[str]) -> None:
        del written, found
        reading.told |= dict.fromkeys(keys, True)

    return Flag(read, 0)


def _strips(reading: Reading, written: str, found: list[str]) -> None:
    del written, found
    reading.told |= {"strip_plan": True, "refit": "identical"}


def _each(names: str, flag: Callable[..., Flag], *arguments: Any) -> Iterator[tuple[str, Flag]]:
    for name in names.split():
        yield f"--{name}", flag(*arguments)


FLAGS: dict[str, Flag] = {
    "--onnx": keeps("model"),
    "--minShapes": _shapes("min"),
    "--optShapes": _shapes("opt"),
    "--maxShapes": _shapes("max"),
    "--shapes": _shapes("run"),
    "--profile": Flag(_next_profile),
    "--inputIOFormats": _formats("input_formats"),
    "--outputIOFormats": _formats("output_formats"),
    "--workspace": keeps("workspace", parse_bytes),
    "--memPoolSize": Flag(_pools),
    "--profilingVerbosity": keeps("profiling_verbosity"),
    "--refit": sets("refit", "all"),
    "--stripWeights": Flag(_strips, 0),
    "--stripAllWeights": Flag(_strips, 0),
    "--sparsity": Flag(_sparsity),
    "--noTF32": sets("tf32", value=False),
    **{f"--{name}": sets(name, value=True) for name in
       ("fp16", "bf16", "int8", "fp8", "int4", "stronglyTyped")},
    "--best": _both("int8", "fp16", "best"),
    "--precisionConstraints": keeps("precision_constraints"),
    "--layerPrecisions": _options("layers"),
    "--calib": keeps("cache"),
    "--useDLACore": keeps("dla_core", parse_whole),
    "--allowGPUFallback": sets("gpu_fallback", value=True),
    "--loadEngine": keeps("engine"),
    "--tacticSources": _switches("tactic_sources"),
    "--preview": _switches("preview_features"),
    "--timingCacheFile": keeps("timing_cache"),
    "--errorOnTimingCacheMiss": sets("frozen", value=True),
    "--builderOptimizationLevel": keeps("builder_optimization_level", parse_whole),
    "--hardwareCompatibilityLevel": keeps(
        "hardware_compatibility", partial(find_words, _LEVELS)
    ),
    "--versionCompatible": sets("version_compatible", value=True),
    "--vc": sets("version_compatible", value=True),
    "--excludeLeanRuntime": sets("exclude_lean_runtime", value=True),
    "--maxAuxStreams": keeps("max_aux_streams", parse_whole),
    "--tilingOptimizationLevel": keeps("tiling"),
    "--plugins": _gathers("plugins"),
    "--dynamicPlugins": _gathers("plugins"),
    "--staticPlugins": _gathers("plugins"),
    "--saveEngine": notes(PLACED, 1),
    "--device": notes(CUDA, 1),
    "--verbose": notes(LOGGED),
    "--monitorMemory": notes(LOGGED),
    "--explicitBatch": notes("every network has its batch in its shapes now"),
    "--strictTypes": sets("precision_constraints", "obey"),
    "--layerOutputTypes": notes(TYPES, 1),
    "--layerDeviceTypes": notes("a target is for the GPU, or for a DLA with `gpu_fallback`", 1),
    "--noBuilderCache": notes("timing caches are kept in the store: nothing to switch off"),
    "--noCompilationCache": notes("see `frozen`: no driver's cache is used then"),
    "--directIO": notes("TensorRT reformats inputs and outputs where it has to"),
    "--skipInference": notes(BUILDS),
    "--buildOnly": notes(BUILDS),
    "--weightStreaming": notes("weights are not streamed: the engine holds all it needs"),
    "--heuristic": notes("use the target's `builder_optimization_level`"),
    "--minTiming": notes("TensorRT decides how often a kernel is timed", 1),
    "--avgTiming": notes("TensorRT decides how often a kernel is timed", 1),
    "--maxTactics": notes("use the target's `builder_optimization_level`", 1),
    "--l2LimitForTiling": notes("use the target's `tiling`", 1),
    "--runtimePlatform": notes("engines are for the system that builds them", 1),
    "--tempdir": notes("TMPDIR says where temporary files go", 1),
    "--tempfileControls": notes("TensorRT's own default stands", 1),
    "--markDebug": notes("`trtbuild sensitivity` looks into a model, tensor by tensor", 1),
    "--loadInputs": notes("name samples under `data`, as an npz file", 1),
    "--help": notes("`trtbuild init --help`"),
    **dict(_each("safe consistency restricted buildDLAStandalone", notes,
                 "engines for TensorRT's safety runtimes are not built")),
    **dict(_each("pluginInstanceNorm pi nativeInstanceNorm uint8AsymmetricQuantizationDLA", notes,
                 "the parser's own default stands")),
    **dict(_each("minShapesCalib optShapesCalib maxShapesCalib", notes,
                 "calibration runs on the samples of `data`, in their own sizes", 1)),
    **dict(_each("useRuntime leanDLLPath ignoreParsedPluginLibs getPlanVersionOnly", notes,
                 "it is for running engines", "?")),
    **dict(_each("iterations warmUp duration sleepTime idleTime infStreams streams avgRuns "
                 "percentile persistentCacheRatio useProfile allocationStrategy "
                 "weightStreamingBudget exportTimes exportOutput exportProfile saveDebugTensors",
                 notes, TIMES, 1)),
    **dict(_each("exposeDMA noDataTransfers useManagedMemory useSpinWait threads useCudaGraph "
                 "timeDeserialize timeRefit separateProfileRun dumpOutput dumpRefit dumpProfile "
                 "dumpRawBindingsToFile dumpOptimizationProfile", notes, TIMES)),
    "--dumpLayerInfo": notes(READ_BACK),
    "--exportLayerInfo": notes(READ_BACK, 1),
    "--setPluginsToSerialize": notes("name the libraries under the target's `plugins`", 1),
    **dict(_each("batch maxBatch output model deploy uff uffInput", notes, GONE, 1)),
    "--uffNHWC": notes(GONE),
}  # fmt: skip
"""By their documented names; those that take a value have 1."""
