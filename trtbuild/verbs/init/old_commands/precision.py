"""What a command asks to compute in, as a recipe's `quantization` or `precision`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from trtbuild.verbs.init.draft import Draft
from trtbuild.verbs.init.entries import Entries, Entry
from trtbuild.verbs.init.models import place_beside
from trtbuild.verbs.init.old_commands.command_line import Reading

__all__ = ["change_precision"]

_TYPES = {"fp16": "fp16", "half": "fp16", "bf16": "bf16"}


def change_precision(draft: Draft, reading: Reading, base: Path, tool: str) -> Draft:
    """Return a draft that computes in what the command asks for."""
    told = reading.told
    for kind in ("fp8", "int4"):
        if told.get(kind):
            reading.note(f"--{kind}", "trtbuild quantizes to INT8: `--int8` says so")
    if told.get("best"):
        reading.note(
            "--best", "INT8 where a layer can be, the rest in fp16: both are in the recipe"
        )
    if "script" in told:
        draft = _feed_by_script(draft, reading, base)
    high = "fp16" if told.get("fp16") else "bf16" if told.get("bf16") else ""
    if told.get("int8"):
        return replace(draft, quantization=_quantize(draft, reading, base, high, tool))
    return _stay_float(draft, reading, high)


def _stay_float(draft: Draft, reading: Reading, high: str) -> Draft:
    """Leave out what is for INT8 alone."""
    for name in reading.told.get("layers", {}):
        reading.note(f"layer {name}", "types of layers are for `quantization`")
    dla = "dla_core" in reading.told
    data = tuple(entry for entry in draft.data if entry.key != "calib")
    kept = data if draft.compare else ()
    words = {"fp16": "FP16", "bf16": "BF16"}.get(high, "FP32")
    return replace(
        draft,
        heading=draft.heading.replace("INT8 engines", f"{words} engines"),
        data=kept,
        data_remark=draft.data_remark.replace(", in two parts that share none", "") if kept else "",
        quantization=(),
        quantization_remark="",
        precision="" if dla else high,
        compare_remark=draft.compare_remark.replace("FP32 with INT8", "it with FP32"),
    )


def _quantize(draft: Draft, reading: Reading, base: Path, high: str, tool: str) -> Entries:
    told = reading.told
    entries = {entry.key: entry for entry in draft.quantization}
    cache = told.get("cache")
    if cache is not None and Path(cache).is_file():
        where = place_beside(Path(cache), base)
        entries.pop("data", None)
        entries["calibrator"] = Entry(
            "calibrator", {"kind": "cache", "path": where}, "the ranges of the old calibration"
        )
        entries["allow_missing"] = Entry(
            "allow_missing", True, "what it has no range for stays float"
        )
    elif cache is not None:
        reading.note(f"the calibration cache {cache}", "it is not here: the recipe calibrates anew")
    elif "calibrator" in told:
        options = {"kind": told["calibrator"], **_legacy(told)}
        entries["calibrator"] = Entry("calibrator", options, f"as the command of {tool} has it")
    if "dla_core" in told:
        entries = {"mode": Entry("mode", "implicit", "a DLA takes no Q/DQ pairs"), **entries}
    elif high:
        entries["high_precision"] = Entry("high_precision", high)
    skipped, exceptions = _sort_layers(told.get("layers", {}), reading)
    if skipped:
        entries["skip"] = Entry("skip", skipped)
    if exceptions:
        entries["precision"] = Entry("precision", exceptions)
    return tuple(entries.values())


def _legacy(told: Mapping[str, Any]) -> dict[str, Any]:
    names = ("quantile", "regression_cutoff")
    return {n: told[n] for n in names if n in told} if told["calibrator"] == "legacy" else {}


def _sort_layers(layers: Mapping[str, str], reading: Reading) -> tuple[list[str], dict[str, str]]:
    """Return the layers that stay out of INT8, and those with a type in a recipe's words."""
    skipped, exceptions = [], {}
    for name, kind in layers.items():
        if name == "*":
            reading.note(f"*:{kind}", "`quantization` says what the rest computes in")
        elif kind in ("fp32", "int8"):
            exceptions[name] = kind
        elif kind in _TYPES:
            skipped.append(name)
        else:
            reading.note(f"{name}:{kind}", "a layer is int8, fp32, or of the type of the rest")
    return skipped, exceptions


def _feed_by_script(draft: Draft, reading: Reading, base: Path) -> Draft:
    """Calibrate on what a data loader script of Polygraphy yields."""
    place, colon, name = str(reading.told["script"]).partition(".py:")
    file = Path(f"{place}.py" if colon else place)
    if not file.is_file():
        reading.note(f"the script {file}", "it is not here: name samples under `data`")
        return draft
    entrypoint = f"{place_beside(file, base)}:{name or 'load_data'}"
    remark = "it yields a mapping of arrays by input; a batch axis must be of size 1, or left out"
    calib = (Entry("kind", "python"), Entry("entrypoint", entrypoint, remark))
    reading.note(
        "the samples of the script", "they calibrate; to compare, add a data set of other samples"
    )
    return replace(
        draft,
        heading=draft.heading.split("\n", maxsplit=1)[0],
        data=(Entry("calib", calib),),
        data_remark="the data loader of the command",
        compare=(),
        compare_remark="to compare FP32 with INT8, add a data set of other samples, and `compare`",
    )
