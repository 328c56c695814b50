"""What a command tells the builder, as options of targets; what one cannot have is named."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from trtbuild.core.options import Options
from trtbuild.machine.facts import find_backend
from trtbuild.verbs.init.draft import Draft
from trtbuild.verbs.init.entries import Entries, Entry
from trtbuild.verbs.init.feeding import FedInput
from trtbuild.verbs.init.models import place_beside
from trtbuild.verbs.init.old_commands.command_line import Reading
from trtbuild.verbs.init.targets import list_buildable

__all__ = ["choose_old_targets"]

_PLAIN = (
    "builder_optimization_level", "tf32", "sparse_weights", "max_aux_streams", "tiling",
    "profiling_verbosity", "preview_features", "tactic_sources", "frozen",
    "hardware_compatibility", "version_compatible", "exclude_lean_runtime", "refit", "strip_plan",
    "dla_core", "gpu_fallback",
)  # fmt: skip
"""What is called as the option is."""
_OLD_LIBRARIES = {"cublas", "cublas_lt", "cudnn"}
_NAMES = {"tensorrt10": "trt10", "tensorrt11": "trt11", "tensorrt_rtx": "rtx"}
_BYTES = ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))


def choose_old_targets(
    reading: Reading, draft: Draft, fed: Sequence[FedInput], base: Path
) -> Entries:
    """Return a target of TensorRT with the command's options, and one that this machine builds."""
    told = reading.told
    options = _gather(reading, fed, base)
    buildable = list_buildable()
    kind = _choose_kind(told, options, buildable)
    if kind == "tensorrt10" and "dla_core" in told and told.get("fp16") and not told.get("int8"):
        options["fp16"] = True
    remark = "" if buildable[kind] else "deferred here: this machine has no such TensorRT"
    entries = [Entry(_NAMES[kind], {"kind": kind, **_fit(kind, options, reading)}, remark)]
    if not any(buildable[each] for each in (kind,)) and "dla_core" not in told:
        own = {entry.key: entry for entry in draft.targets}
        for name, entry in own.items():
            if name != _NAMES[kind]:
                mine = {**entry.value, **options}
                fitted = _fit(entry.value["kind"], mine, None)
                entries.append(Entry(name, {"kind": entry.value["kind"], **fitted}, entry.remark))
    return tuple(entries)


def _choose_kind(
    told: Mapping[str, Any], options: Mapping[str, Any], buildable: Mapping[str, bool]
) -> str:
    libraries = set(options.get("tactic_sources", ()))
    if "dla_core" in told or libraries & _OLD_LIBRARIES:
        return "tensorrt10"
    return next((k for k in ("tensorrt11", "tensorrt10") if buildable[k]), "tensorrt11")


def _gather(reading: Reading, fed: Sequence[FedInput], base: Path) -> dict[str, Any]:
    """Return options in a recipe's words, as plain data."""
    told = reading.told
    pools = dict(told.get("pools", {}))
    workspace = pools.pop("workspace", told.get("workspace"))
    options: dict[str, Any] = {} if not workspace else {"workspace": _size(workspace)}
    options |= {name: told[name] for name in _PLAIN if name in told}
    for name in [each for each in pools if each.startswith("dla_") and "dla_core" not in told]:
        reading.note(f"the memory pool {name}", "it is a DLA's, and the command uses none")
        del pools[name]
    if pools:
        options["memory_pools"] = {name: _size(size) for name, size in pools.items()}
    if plugins := _existing(told.get("plugins", ()), reading, "a plugin library"):
        options["plugins"] = [place_beside(Path(each), base) for each in plugins]
    if cache := _existing([told["timing_cache"]] if "timing_cache" in told else [], reading,
                          "the timing cache"):  # fmt: skip
        options["timing_cache"] = place_beside(Path(cache[0]), base)
    elif options.pop("frozen", None):
        reading.note("errors on timing cache misses", "`frozen` needs the file of a timing cache")
    if "precision_constraints" in told:
        reading.note(
            f"precision constraints ({told['precision_constraints']})",
            "a layer computes in the types of the graph: INT8 where it has Q/DQ pairs",
        )
    if told.get("stronglyTyped"):
        reading.note("strong typing", "every network is strongly typed, unless a target says else")
    formats = _formats(told, fed, reading)
    return options | ({"io_formats": formats} if formats else {})


def _formats(
    told: Mapping[str, Any], fed: Sequence[FedInput], reading: Reading
) -> dict[str, list[str]]:
    """Return layouts by input; those of outputs and types are named as what stays behind."""
    found = {}
    for each, (kind, layouts) in zip(fed, told.get("input_formats", ()), strict=False):
        named = ["linear" if layout == "chw" else layout for layout in layouts]
        if named and named != ["linear"]:
            found[each.spec.name] = named
        if kind not in ("", "fp32", "int64", "int32", "bool"):
            reading.note(
                f"the type {kind} of the input `{each.spec.name}`",
                "inputs have the model's types: `keep_io_types: false` beside fp16 makes them fp16",
            )
    if any(kind != "fp32" or set(layouts) - {"chw"} for kind, layouts in
           told.get("output_formats", ())):  # fmt: skip
        reading.note(
            "types and layouts of outputs", "write them under the target's `io_formats`, by name"
        )
    return found


def _existing(paths: Sequence[str], reading: Reading, what: str) -> list[str]:
    found = [path for path in paths if Path(path).is_file()]
    for path in paths:
        if path not in found:
            reading.note(f"{what} {path}", "it is not here, and a recipe names what there is")
    return found


def _size(size_bytes: int) -> str | int:
    for factor, unit in _BYTES:
        if size_bytes >= factor and size_bytes % factor == 0:
            return f"{size_bytes // factor}{unit}"
    return size_bytes


def _fit(kind: str, options: Mapping[str, Any], reading: Reading | None) -> dict[str, Any]:
    """Return the options that a kind of target can have; the others are named."""
    backend: Any = find_backend(kind)
    kept = {name: value for name, value in options.items() if name != "kind"}
    while (problem := _find_problem(backend, {"kind": kind, **kept})) is not None:
        place, why = problem
        if not place or place[0] not in kept:
            return {}  # what is at odds cannot be told
        name, *below = place
        told = f"{name} {json.dumps(kept[name])}"
        if below and below[0] in kept[name]:
            kept[name] = {key: each for key, each in kept[name].items() if key != below[0]}
            told = f"{name}.{below[0]}"
        if not below or below[0] not in told or not kept[name]:
            del kept[name]
        if reading is not None:
            reading.note(told, why)
    return kept


def _find_below(options: Mapping[str, Any], told: str) -> tuple[str, ...]:
    """Return where an option is a mapping with a key that is named in what was told."""
    found = (
        (name, key) for name, each in options.items() if isinstance(each, dict) for key in each
    )
    return next(((name, key) for name, key in found if f"`{key}`" in told), ())


def _find_problem(
    backend: type[Options], options: Mapping[str, Any]
) -> tuple[tuple[str, ...], str] | None:
    """Return where an option cannot be had, and what to do instead."""
    try:
        backend.model_validate_json(json.dumps(options))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        told = str(first["msg"]).removeprefix("Value error, ")
        place = tuple(str(each) for each in first["loc"] if each != "[key]")
        instead: Mapping[str, str] = getattr(backend, "instead", {})
        if not place:
            named = next((name for name in options if f"`{name}`" in told), "")
            place = (named,) if named else _find_below(options, told)
        return place, next((instead[each] for each in place if each in instead), told)
    return None
