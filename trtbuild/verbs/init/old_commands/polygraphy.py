"""Polygraphy's options of `convert` and `run`, and what a recipe says in their place."""

from __future__ import annotations

import re
from functools import partial

from trtbuild.core.errors import UsageError
from trtbuild.verbs.init.old_commands.command_line import Arity, Flag, Reading, read_flags
from trtbuild.verbs.init.old_commands.words import (
    find_words,
    keeps,
    notes,
    parse_bytes,
    parse_shape,
    parse_whole,
    sets,
)

__all__ = ["read_polygraphy"]

COMPARED = "`compare` holds INT8 against FP32 with `metrics` and `gates` of its own"
LOGGED = "`apply --log-level verbose` has the builder say all; `why RECIPE --log` shows it"
TIMES = "`apply` builds and compares, and times nothing"
PLACED = "engines are placed in build/NAME/TARGET/model.engine"
SCRIPTED = "what a script does to the builder has no place in a recipe: the target has options"
OUTPUTS = "a model has the outputs that it was exported with"
CONTEXT = "it is for running engines"
DRAWN = "the recipe's random data has a `seed` and ranges for each input"
_SHAPE = re.compile(r"(?P<name>.+?)[:,](?P<shape>\[.*\]|\d+(?:[x,]\d+)*)")
_CALIBRATORS = {
    "IInt8EntropyCalibrator2": "entropy2",
    "IInt8EntropyCalibrator": "entropy",
    "IInt8MinMaxCalibrator": "minmax",
    "IInt8LegacyCalibrator": "legacy",
}
_POOLS = {
    "workspace": "workspace",
    "dla_managed_sram": "dla_managed_sram",
    "dla_local_dram": "dla_local_dram",
    "dla_global_dram": "dla_global_dram",
    "tactic_dram": "tactic_dram",
    "tactic_shared_memory": "tactic_shared_memory",
}
_LEVELS = {
    "none": "none",
    "ampere_plus": "ampere_plus",
    "same_compute_capability": "same_compute_capability",
}
_TOOLS = ("convert", "run")


def read_polygraphy(words: list[str], reading: Reading) -> None:
    """Read Polygraphy's options; the first words may be the program and its tool.

    Raises:
        UsageError: it is another tool, an option cannot be read, or there is no model.
    """
    rest = words[1:] if words[0].rpartition("/")[2].startswith("polygraphy") else list(words)
    tool = rest.pop(0) if rest and rest[0] in _TOOLS else "convert"
    others = ("inspect", "surgeon", "debug", "check", "template", "data", "plugin", "multi-device")
    if rest and rest[0] in others:
        raise UsageError(
            f"--from polygraphy: `polygraphy {rest[0]}` builds no engine",
            hint="give a command of `polygraphy convert` or `polygraphy run`",
        )
    strays = list(read_flags(rest, FLAGS, reading, tool=f"polygraphy {tool}"))
    if strays:
        reading.told["model"] = strays.pop(0)
    for stray in strays:
        reading.note(stray, "it belongs to no option")
    if "model" not in reading.told:
        raise UsageError(
            "--from polygraphy: the command names no model",
            hint="polygraphy convert MODEL.onnx ...; a model behind an option of many values is "
            "taken for one of them",
        )


def _shapes(end: str) -> Flag:
    """Return the flag of one end of a profile: `name:[1,3,224,224] other:[1,10]`."""

    def read(reading: Reading, written: str, found: list[str]) -> None:
        profiles = reading.told.setdefault("profiles", [{}])
        if profiles[-1] and all(end in shapes for shapes in profiles[-1].values()):
            profiles.append({})
        if end != "min":  # profiles are told apart by how often each end is given
            profiles_with = [p for p in profiles if any(end not in each for each in p.values())]
            profile = profiles_with[0] if profiles_with else profiles[-1]
        else:
            profile = profiles[-1]
        for part in found:
            match = _SHAPE.fullmatch(part)
            if match is None:
                raise UsageError(
                    f"--from polygraphy: `{written}`: `{part}` is no shape of an input",
                    hint="NAME:[1,3,224,224]",
                )
            profile.setdefault(match["name"], {})[end] = parse_shape(match["shape"])

    return Flag(read, "some")


def _pools(reading: Reading, written: str, found: list[str]) -> None:
    for part in found:
        name, _, size = part.rpartition(":")
        try:
            reading.told.setdefault("pools", {})[find_words(_POOLS, name)] = parse_bytes(size, "B")
        except ValueError:
            reading.note(written, f"`{part}` is no pool that is known")


def _layers(reading: Reading, written: str, found: list[str]) -> None:
    del written
    kinds = {"float16": "fp16", "float32": "fp32", "bfloat16": "bf16"}
    for part in found:
        name, _, kind = part.rpartition(":")
        reading.told.setdefault("layers", {})[name] = kinds.get(kind, kind)


def _gathers(key: str) -> Flag:
    def read(reading: Reading, written: str, found: list[str]) -> None:
        del written
        reading.told.setdefault(key, []).extend(
            each if key == "plugins" else each.lower() for each in found
        )

    return Flag(read, "some")


def _strips(reading: Reading, written: str, found: list[str]) -> None:
    del written, found
    reading.told |= {"strip_plan": True, "refit": "identical"}


def _convert_to(reading: Reading, written: str, found: list[str]) -> None:
    if found[-1] != "trt":
        reading.note(written, "`apply` leaves the models too: build/NAME/model.fp32.onnx")


def _all(why: str, *names: str, values: Arity = 0) -> dict[str, Flag]:
    return {name: notes(why, values) for name in names}


FLAGS: dict[str, Flag] = {
    "--trt-min-shapes": _shapes("min"),
    "--trt-opt-shapes": _shapes("opt"),
    "--trt-max-shapes": _shapes("max"),
    "--input-shapes": _shapes("run"),
    "--inputs": _shapes("run"),
    **{f"--{name}": sets(name, value=True) for name in ("fp16", "bf16", "int8", "fp8")},
    "--tf32": sets("tf32", value=True),
    "--strongly-typed": sets("stronglyTyped", value=True),
    "--precision-constraints": keeps("precision_constraints"),
    "--obey-precision-constraints": sets("precision_constraints", "obey"),
    "--prefer-precision-constraints": sets("precision_constraints", "prefer"),
    "--strict-types": sets("precision_constraints", "obey"),
    "--layer-precisions": Flag(_layers, "some"),
    "--sparse-weights": sets("sparse_weights", value=True),
    "--version-compatible": sets("version_compatible", value=True),
    "--exclude-lean-runtime": sets("exclude_lean_runtime", value=True),
    "--calibration-cache": keeps("cache"),
    "--calib-base-cls": keeps("calibrator", partial(find_words, _CALIBRATORS)),
    "--calibration-base-class": keeps("calibrator", partial(find_words, _CALIBRATORS)),
    "--quantile": keeps("quantile", float),
    "--regression-cutoff": keeps("regression_cutoff", float),
    "--load-timing-cache": keeps("timing_cache"),
    "--error-on-timing-cache-miss": sets("frozen", value=True),
    "--tactic-sources": _gathers("tactic_sources"),
    "--refittable": sets("refit", "all"),
    "--strip-plan": Flag(_strips, 0),
    "--use-dla": sets("dla_core", 0),
    "--allow-gpu-fallback": sets("gpu_fallback", value=True),
    "--pool-limit": Flag(_pools, "some"),
    "--memory-pool-limit": Flag(_pools, "some"),
    "--workspace": keeps("workspace", partial(parse_bytes, unit="B")),
    "--preview-features": _gathers("preview_features"),
    "--builder-optimization-level": keeps("builder_optimization_level", parse_whole),
    "--hardware-compatibility-level": keeps("hardware_compatibility", partial(find_words, _LEVELS)),
    "--max-aux-streams": keeps("max_aux_streams", parse_whole),
    "--profiling-verbosity": keeps("profiling_verbosity", str.lower),
    "--tiling-optimization-level": keeps("tiling", str.lower),
    "--plugins": _gathers("plugins"),
    "--data-loader-script": keeps("script"),
    "--convert-to": Flag(_convert_to),
    "--model-type": keeps("model_type"),
    **_all(PLACED, "-o", "--output", "--save-engine", "--save-onnx", values=1),
    **_all("every TensorRT of `targets` builds", "--trt"),
    **_all(COMPARED, "--onnxrt", "--pluginref", "--validate", "--fail-fast", "--check-average",
           "--no-shape-check", "--show-heatmaps", "--infinities-compare-equal"),
    **_all(COMPARED, "--rtol", "--rel-tol", "--atol", "--abs-tol", "--check-error-stat",
           "--compare", "--l2-threshold", "--cosine-similarity-threshold", "--psnr-threshold",
           "--snr-threshold", "--lpips-threshold", "--error-quantile", "--index-tolerance",
           "--postprocess", "--postprocess-func", values="some"),
    **_all(COMPARED, "--compare-func-script", "--postprocess-func-script", "--save-heatmaps",
           "--save-accuracy-results", "--save-error-metrics-plot", values=1),
    **_all(COMPARED, "--load-outputs", "--load-results", values="some"),
    **_all("`apply` keeps what it ran in the store", "--save-inputs", "--save-input-data",
           "--save-outputs", "--save-results", values=1),
    **_all("name samples under `data`, as an npz file", "--load-inputs", "--load-input-data",
           values="some"),
    **_all(DRAWN, "--seed", "--iterations", "--iters", "--data-loader-backend-module", values=1),
    **_all(DRAWN, "--val-range", "--int-min", "--int-max", "--float-min", "--float-max",
           values="some"),
    **_all(LOGGED, "-v", "-vv", "-vvv", "-q", "-qq", "--verbose", "--quiet", "--silent"),
    **_all(LOGGED, "--verbosity", "--log-format", values="some"),
    **_all(LOGGED, "--log-file", values=1),
    **_all(TIMES, "--warm-up", values=1),
    **_all(OUTPUTS, "--trt-outputs", "--onnx-outputs", "--trt-exclude-outputs",
           "--onnx-exclude-outputs", "--tf-outputs", "--trt-outputs-by-type",
           "--onnx-outputs-by-type", values="some"),
    **_all(SCRIPTED, "--trt-config-script", "--trt-config-postprocess-script", "--trt-cpps",
           "--trt-config-func-name", "--data-loader-func-name", "--load-tactics",
           "--load-tactic-replay", "--save-tactics", "--save-tactic-replay", values=1),
    **_all(SCRIPTED, "--trt-network-postprocess-script", "--trt-npps", values="some"),
    **_all("a timing cache is left beside each engine", "--save-timing-cache", values=1),
    **_all("the parser's own default stands", "--onnx-flags", "--quantization-flags",
           values="some"),
    **_all("the parser's own default stands", "--plugin-instancenorm", "--decomposable-attentions",
           "--enable-uint8-asymmetric-quantization-dla", "--direct-io"),
    **_all("`precision: fp16` makes the model's floats 16 bits", "--fp-to-fp16"),
    **_all("shapes are inferred anyway", "--shape-inference", "--do-shape-inference",
           "--no-onnxruntime-shape-inference"),
    **_all("external data must lie beside the model", "--external-data-dir",
           "--load-external-data", "--ext", values=1),
    **_all("weights over 2 GB are written beside the model by themselves", "--save-external-data",
           "--external-data-path", values="?"),
    **_all("types and layouts: the target's `io_types` and `io_formats`", "--tensor-dtypes",
           "--tensor-datatypes", "--tensor-formats", "--all-tensor-formats", values="some"),
    **_all("types and layouts: the target's `io_types` and `io_formats`", "--all-tensor-dtypes",
           "--all-tensor-datatypes", values=1),
    **_all(CONTEXT, "--optimization-profile", "--allocation-strategy", "--load-runtime",
           "--weight-streaming-budget", "--dla-workspace-allocation-strategy", values=1),
    **_all(CONTEXT, "--use-subprocess", "--sequential-runners", "--weight-streaming",
           "--trt-safety-restricted", "--disable-compilation-cache"),
    **_all("engines are for the system that builds them", "--runtime-platform", values=1),
    **_all("convert the model to ONNX first", "--opset", "--ckpt", values=1),
    **_all("TensorFlow models are converted to ONNX first", "--tf", "--tftrt", "--use-tftrt",
           "--freeze-graph", "--xla"),
    "--mark-debug": notes("`trtbuild sensitivity` looks into a model", "some"),
    "--gen-script": notes("`trtbuild script` prints such a program", 1),
    "--gen": notes("`trtbuild script` prints such a program", 1),
}  # fmt: skip
"""By their documented names, those of older versions included."""
